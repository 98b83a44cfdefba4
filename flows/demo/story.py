"""The story in its chapters; each plays one scene and then asks store, outbox and Prefect whether it came out."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from flows.demo.stage import Spoiled, Stage
from flows.store import tables as t

NAME, PHONE = "김하나", "010-2345-6789"
_LINK = re.compile(r"https?://[^/\s]+(/work/\S+)")


def tell(stage: Stage) -> str:
    """Play all chapters. Gives the customer's case. Raises Spoiled at the first thing that came out otherwise."""
    case = saturday_night(stage)
    partner(stage)
    class_at = monday_morning(stage, case)
    day_before(stage, class_at)
    class_day(stage, case, class_at)
    numbers(stage)
    if stage.prefect:
        in_prefect(stage)
    nothing_leaked(stage)
    return case


def saturday_night(stage: Stage) -> str:
    _chapter(stage, "a customer asks for a trial class on the form page")
    stage.ask({"name": NAME, "phone": PHONE, "branch": "합정점", "channel": "naver_place", "health": "yes"})
    found = stage.wait(lambda: stage.rows(select(t.case).where(t.case.c.playbook == "trial-booking")), "a case")
    case: str = found[0]["id"]
    asked = stage.wait(
        lambda: stage.rows(
            select(t.assignment).where(t.assignment.c.case_id == case, t.assignment.c.told_at.is_not(None))
        ),
        "the manager's assignment",
    )
    due = asked[0]["due_at"].astimezone(stage.book.company.zone)
    _so(
        f"{due:%a %H:%M}" == "Mon 08:00",
        f"the manager has until Monday 08:00, one business hour (due {due:%a %H:%M})",
        stage,
    )
    _so(_kinds(stage, case) == ["apply"], "the exchange ledger says: apply", stage)
    _so(not _sent(stage, case), "no message has gone to the customer yet", stage)
    return case


def partner(stage: Stage) -> None:
    _chapter(stage, "a partner's form sends the same signed webhook three times")
    body = {"회사": "망원서점", "담당자": "박서점", "이메일": "park@books.example", "문의 내용": "함께 독서 모임"}
    answers = [stage.webhook("partner-form", "msg_1", body) for _ in range(3)]
    forged = stage.webhook("partner-form", "", body)
    stage.wait(lambda: _told(stage.notices(), "망원서점"), "the notice to the owner")
    cases = stage.rows(select(t.case).where(t.case.c.playbook == "partner-inquiry"))
    _so(answers == [202, 202, 202] and forged == 401, "three answers 202, an unsigned one 401", stage)
    _so(len(cases) == 1 and _told(stage.notices(), "망원서점") == 1, "one case, one notice", stage)


def monday_morning(stage: Stage, case: str) -> datetime:
    saturday = stage.saturday_played
    monday = (saturday + timedelta(days=2)).replace(hour=7, minute=30)
    stage.move_clock(monday)
    _chapter(stage, "the manager opens the link in the notice and settles time and instructor")
    class_at = (monday + timedelta(days=2)).replace(hour=10, minute=0)
    link = stage.wait(lambda: link_of(stage, "강사를 정하고"), "the manager's notice")
    stage.submit(
        link,
        {"class_at": f"{class_at:%Y-%m-%dT%H:%M}", "instructor": "ji", "_ticked": ["0", "1", "2"], "_minutes": "6"},
    )
    stage.wait(lambda: "trial_confirm" in _sent(stage, case), "the confirmation")
    text = next(one for one in stage.messages() if "trial_confirm" in one)
    settled = all(word in text for word in (NAME, f"{class_at.day}일(", f"{class_at:%H:%M}", "지강사"))
    _so(settled, "the confirmation has left, with name, time and instructor", stage)
    stage.wait(lambda: NAME in stage.roster(), "the roster")
    _so(stage.roster().count(NAME) == 1, "the roster has a line", stage)
    return class_at


def day_before(stage: Stage, class_at: datetime) -> None:
    stage.move_clock(class_at - timedelta(hours=20) + timedelta(minutes=1))
    _chapter(stage, "twenty hours before the class")
    stage.wait(lambda: _told(stage.messages(), "trial_reminder"), "the reminder")
    _so(_told(stage.messages(), "trial_reminder") == 1, "the customer is reminded, once", stage)


def class_day(stage: Stage, case: str, class_at: datetime) -> None:
    stage.move_clock(class_at + timedelta(minutes=70))
    _chapter(stage, "the instructor greets the customer by name and says so")
    link = stage.wait(lambda: link_of(stage, "이름을 불러"), "the instructor's notice")
    stage.submit(link, {"attended": "yes", "memo": "허리를 조심해야 한다"})
    ended = select(t.case).where(t.case.c.id == case, t.case.c.status == "ended")
    found = stage.wait(lambda: stage.rows(ended), "the case to end")
    _so(found[0]["outcome"] == "done", "the case ended: done", stage)
    _so(_kinds(stage, case) == ["apply", "visit_trial"], "the exchange ledger says: apply, visit_trial", stage)
    _so(_sent(stage, case) == ["trial_confirm", "trial_reminder"], "two messages went out, each once", stage)


def numbers(stage: Stage) -> None:
    _chapter(stage, "the day's numbers")
    a = t.assignment.c
    asked = stage.wait(
        lambda: stage.rows(select(t.assignment).where(a.playbook == "daily-metrics", a.state == "open")),
        "daily-metrics",
    )
    newest = max(asked, key=lambda row: row["opened_at"])
    stage.digilog("work", "done", newest["id"], "place_views=132", "--as", "yoon")
    r = t.reading.c
    kept = stage.wait(
        lambda: stage.rows(select(t.reading).where(r.metric == "place_views", r.value == Decimal(132))),
        "the typed number",
    )
    _so(len(kept) == 1, "the manager's number is in the metrics ledger, typed by yoon", stage)
    stage.wait(lambda: _digests(stage), "the digest")
    days = _digests(stage)
    _so(len(days) == len(set(days)), "the team has each day's digest of numbers, once", stage)
    _so("place_views" in " ".join(stage.numbers()), "a sheet follows the metrics ledger", stage)


def in_prefect(stage: Stage) -> None:
    stage.say("\nPrefect shows it (its first start takes a while)")
    stage.wait(lambda: "prefect" in stage.running(), "Prefect")
    wanted = {"거래장부에 신청을 적는다", "확정 안내를 보낸다", "이름을 불러 맞이하고 출석을 적는다"}
    stage.wait(
        lambda: all(any(want in name for name in _tasks(stage)) for want in wanted), "the runs' Korean step names"
    )
    done = stage.wait(lambda: _ended_well(stage), "the runs to end")
    _so(bool(done), f"runs in Prefect: {done}, all of them Completed", stage)
    password = (stage.home / "prefect-password").read_text("utf-8").strip()
    stage.say(f"  {stage.running()['prefect']}  (it asks to log in; type  digilog:{password})")


def nothing_leaked(stage: Stage) -> None:
    """No customer text in Prefect's database, nor in any log."""
    secrets = [secret.removeprefix("whsec_") for secret in stage.secrets().values()]
    said = (NAME, PHONE, "+821023456789", "허리를 조심", "park@books.example", *secrets)
    words = [word.encode() for word in said]
    files = [*(stage.home / "logs").rglob("*"), *(stage.home / "prefect").rglob("*")]
    held = {file: file.read_bytes() for file in files if file.is_file()}
    guilty = [file.name for file, content in held.items() if any(word in content for word in words)]
    _so(
        not guilty,
        f"no customer's word and no secret in Prefect's database and the logs ({len(held)} files searched)",
        stage,
    )


def _ended_well(stage: Stage) -> int:
    runs = stage.ask_prefect("flow_runs", {})
    shown = [run for run in runs if run["state_type"] != "SCHEDULED"]
    if any(run["state_type"] in {"FAILED", "CRASHED"} for run in shown):
        raise Spoiled("a run in Prefect failed")
    return len(shown) if shown and all(run["state_type"] == "COMPLETED" for run in shown) else 0


def _tasks(stage: Stage) -> list[str]:
    return [task["name"] for task in stage.ask_prefect("task_runs", {})]


def _chapter(stage: Stage, what: str) -> None:
    stage.say(f"\n{stage.now():%a %H:%M}  {what}")


def _so(true: bool, what: str, stage: Stage) -> None:
    if not true:
        raise Spoiled(f"not so: {what}")
    stage.say(f"  ✓ {what}")


def _kinds(stage: Stage, case: str) -> list[str]:
    found = stage.rows(select(t.exchange.c.kind).where(t.exchange.c.case_id == case).order_by(t.exchange.c.at))
    return [row["kind"] for row in found]


def _sent(stage: Stage, case: str) -> list[str]:
    e = t.effect.c
    found = stage.rows(
        select(e.message).where(e.case_id == case, e.state == "done", e.message.is_not(None)).order_by(e.ended_at)
    )
    return [row["message"] for row in found]


def _told(texts: Sequence[str], word: str) -> int:
    return sum(word in one for one in texts)


def _digests(stage: Stage) -> list[str]:
    """The days whose numbers the team was told."""
    return re.findall(r"(\d+월 \d+일)\(.\), 괄호는 지난주", "\n".join(stage.notices()))


def link_of(stage: Stage, word: str) -> str:
    """The link in the newest notice that holds a word."""
    found = [match[1] for one in stage.notices() if word in one and (match := _LINK.search(one))]
    return found[-1] if found else ""
