"""One case: where it stands, its whole story, and what can be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from sqlalchemy import Connection, select
from starlette.responses import Response

from flows.engine import operate
from flows.engine.operate import OperateError
from flows.people.assignments import OPEN, sentence
from flows.playbook.model import Playbook
from flows.store import tables as t
from flows.store.read import Row, rows
from flows.web.board.ask import Ask
from flows.web.board.cases import state_of
from flows.web.board.people import names
from flows.web.board.refusals import refused
from flows.web.board.story import LONGEST, answers, moments
from flows.web.board.words.cases import CASE
from flows.web.body import Refused
from flows.web.page import after

_ACTS = ("retry", "resume", "hold", "stop")
_OUTCOMES = ("lost", "done", "won")
_RUNS, _AUDITED = 10, 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's turn."""

    id: str
    who: str
    do: str
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Wrong:
    """What was typed with an act that was refused."""

    act: str = ""
    reason: str = ""
    sentence: str = ""
    field: bool = False


def get(ask: Ask, session: Connection) -> Response:
    return _page(ask, session, Wrong())


async def post(ask: Ask) -> Response:
    """Hold, resume, retry or stop it, with a reason."""
    id, act, reason = ask.request.path_params["id"], ask.said("_press"), ask.said("reason")[:1000]
    outcome = ask.said("outcome")
    if act not in _ACTS or (act == "stop" and outcome not in _OUTCOMES):
        raise Refused(404, ask.words()["nothing"])
    if not reason:
        wrong = Wrong(act, "", ask.words(CASE)["reason_needed"], field=True)
        return await ask.read(lambda session: _page(ask, session, wrong, 422))
    try:
        await ask.write(lambda session: _do(session, ask, id, act, reason, outcome))
    except OperateError as error:
        wrong = Wrong(act, reason, refused(error, ask))
        return await ask.read(lambda session: _page(ask, session, wrong, 409))
    return after(f"/cases/{quote(id)}?told={act}")


def _do(session: Connection, ask: Ask, id: str, act: str, reason: str, outcome: str) -> None:
    who, now = ask.user.name, ask.now
    match act:
        case "hold":
            operate.hold(session, id, who, reason, now)
        case "resume":
            operate.resume(session, id, who, now, reason)
        case "retry":
            operate.retry(session, id, who, now, reason)
        case "stop":
            operate.stop(session, ask.context.world, id, who, reason, outcome)


def _page(ask: Ask, session: Connection, wrong: Wrong, status: int = 200) -> Response:
    try:
        case = operate.find_case(session, ask.request.path_params["id"])
    except OperateError as error:
        raise Refused(404, refused(error, ask)) from None
    said = ask.words(CASE)
    playbook = ask.context.world.pinned(session, case["version"])
    story = moments(session, ask, case, playbook, said)
    told = ask.said("told") if ask.request.method == "GET" else ""
    return ask.page(
        "case.html",
        CASE,
        status,
        case=case,
        state=state_of(case),
        playbook=playbook,
        customer=names(session, [case["party_id"]]).get(case["party_id"], ""),
        steps=_steps(case, playbook),
        asked=_asked(session, case["id"], playbook),
        retried=_retried(session, case["id"]),
        story=story,
        stopped=next((one for one in reversed(story) if one.mark == "bad"), None),
        longest=LONGEST,
        answers=answers(session, ask, case["id"], playbook),
        runs=prefect_runs(session, ask, [case["id"]], _RUNS),
        audited=_audited(session, case["id"]),
        acts=_possible(case) if ask.user.may("act") else (),
        outcomes=_OUTCOMES,
        wrong=wrong,
        told=told if told in _ACTS else None,
    )


def _steps(case: Row, playbook: Playbook) -> list[tuple[str, str]]:
    """Each step's sentence with done | now | ahead."""
    at = len(playbook.steps) if case["status"] == "ended" and case["outcome"] != "lost" else case["step"]
    place = ["done" if number < at else "ahead" for number in range(len(playbook.steps))]
    if case["status"] != "ended" and at < len(place):
        place[at] = "now"
    return [(step.do, one) for step, one in zip(playbook.steps, place, strict=True)]


def _possible(case: Row) -> tuple[str, ...]:
    """The acts that make sense now; the rooms below have the last word."""
    if case["status"] == "ended":
        return ()
    if case["held"] is not None:
        return ("resume", "stop")
    return ("retry", "hold", "stop") if case["failed"] or case["status"] == "parked" else ("hold", "stop")


def _asked(session: Connection, case: str, playbook: Playbook) -> list[Asked]:
    a = t.assignment.c
    found = rows(session, select(t.assignment).where(a.case_id == case, a.state.in_(OPEN)).order_by(a.due_at))
    return [Asked(row["id"], row["person"] or row["role"], sentence(row, playbook), row["due_at"]) for row in found]


def _retried(session: Connection, case: str) -> list[Row]:
    """Calls that failed and are tried again, or wait for a connection that is `paused`."""
    e, its = t.effect.c, t.connection.c
    asked = select(e.next_at, e.reason, e.connection, its.paused).outerjoin(t.connection, its.name == e.connection)
    asked = asked.where(e.case_id == case, e.state.in_(("due", "sending")), e.attempt > 0)
    return rows(session, asked.order_by(e.id))


def prefect_runs(session: Connection, ask: Ask, cases: Sequence[str], most: int) -> list[tuple[str, datetime]]:
    """Address and beginning of the newest runs of some cases in Prefect; empty where Prefect is not shown."""
    if ask.prefect is None:
        return []
    r, link = t.run.c, t.run_case.c
    asked = select(r.flow_run, r.opened_at).join_from(t.run_case, t.run).where(link.case_id.in_(cases))
    found = rows(session, asked.where(r.flow_run.is_not(None)).distinct().order_by(r.opened_at.desc()).limit(most))
    base = ask.prefect.rstrip("/")
    return [(f"{base}/runs/flow-run/{quote(row['flow_run'])}", row["opened_at"]) for row in found]


def _audited(session: Connection, case: str) -> list[Row]:
    u = t.audit.c
    return rows(session, select(t.audit).where(u.subject == case).order_by(u.id.desc()).limit(_AUDITED))
