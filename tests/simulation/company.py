"""A small company made by chance: two or three playbooks of one family, as people would have written them."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from flows.playbook.check import version_of
from flows.playbook.load import Document
from flows.playbook.metrics import Metrics
from flows.playbook.model import Book, Canvas, Company, MessageText, Playbook

Condition = tuple[str, str, int]  # a path, a sign, a number
SIGNS = ("<", ">=", "==")
WAITS = ("10m", "3h", "1d", "1 business hour", "tomorrow 09:00", "next business day 10:00")
USES = ("look", "put", "pay", "ring", "shout")
CLASSES: Mapping[str, str] = {
    "look": "read", "put": "repeat", "pay": "keyed", "ring": "checkable", "shout": "once", "send": "once",
}  # fmt: skip
COMPANY: Mapping[str, Any] = {
    "name": "온다", "zone": "Asia/Seoul", "country": "KR",
    "hours": {"mon-fri": "09:00-18:00", "sat": "closed", "sun": "closed"},
    "roles": {"owner": {"label": "원장", "people": ["han"]}, "manager": {"label": "매니저", "people": ["yoon"]}},
    "people": {"han": {"name": "한님"}, "yoon": {"name": "윤님"}},
    "sender": {"name": "온다"},
    "mediums": {"sms": "post", "alimtalk": "talk", "team": "desk"},
}  # fmt: skip
CANVAS = {
    "stages": {"apply": {"label": "신청"}, "decide": {"label": "결정"}},
    "kinds": {"purchase_card": {"stage": "decide"}, "apply": {"stage": "apply"}},
}
MESSAGES = {
    "one": {"medium": "sms", "purpose": "info", "text": "안녕하세요"},
    "two": {"medium": "alimtalk", "purpose": "info", "fallback": "sms", "text": "안녕하세요"},
    "ad": {"medium": "sms", "purpose": "ad", "text": "(광고) 할인"},
}
FIELDS = {
    "phone": {"type": "phone", "label": "phone"},
    "n": {"type": "integer", "label": "n", "required": "no"},
}


@dataclass(frozen=True, slots=True)
class StepPlan:
    """One step as the model reads it: what it is, and its conditions apart from their text."""

    id: str
    kind: str  # wait | person | record | message | machine
    written: Mapping[str, Any]
    action: str = ""
    when: Condition | None = None
    check: Condition | None = None
    ends: tuple[Condition, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of one playbook."""

    name: str
    steps: tuple[StepPlan, ...]
    stops: tuple[str, ...]  # kinds of exchanges
    single: bool
    where: Condition | None
    written: Mapping[str, Any]
    playbook: Playbook


def holds(condition: Condition | None, values: Mapping[str, Any]) -> bool:
    """A condition on what is known; on a missing value it is false."""
    if condition is None:
        return True
    path, sign, than = condition
    found = values.get(path)
    if found is None:
        return False
    return found < than if sign == "<" else found >= than if sign == ">=" else found == than


def said(condition: Condition) -> str:
    return f"{condition[0]} {condition[1]} {condition[2]}"


def company(chance: random.Random) -> Book:
    """The company's own files; `bank` may have a rate."""
    rate = chance.choice(("1/10s", "3/1m", "20/1m")) if chance.random() < 0.4 else None
    return Book(Path(), _company(rate), *_others(), Metrics(), {})


@cache
def _company(rate: str | None) -> Company:
    links = {name: {"connector": "simulated"} for name in ("shop", "bank", "post", "talk", "desk")}
    links["bank"] |= {"rate": rate} if rate else {}
    links |= {f"form-{name}": {"connector": "own_form"} for name in ("a", "b")}
    return Company.model_validate({**COMPANY, "connections": links})


@cache
def _others() -> tuple[Canvas, dict[str, MessageText]]:
    return Canvas.model_validate(CANVAS), TypeAdapter(dict[str, MessageText]).validate_python(MESSAGES)


@cache
def connections(rate: str | None) -> dict[str, Any]:
    """Where a world keeps what it made for a company of this rate: making it anew takes a tenth of a history."""
    del rate
    return {}


def plan(chance: random.Random, name: str) -> Plan:
    """One playbook: `a` and `b` start by their forms, `day` by its schedule."""
    scheduled = name == "day"
    known = [] if scheduled else ["n"]
    steps = [
        _step(chance, f"s{number}", known, scheduled) for number in range(chance.randint(1, 3 if scheduled else 6))
    ]
    stops = () if scheduled else (("purchase_card",), ("cancel", "purchase"), (), ())[chance.randrange(4)]
    where = _condition(chance, ["n"]) if not scheduled and chance.random() < 0.15 else None
    single = chance.random() < 0.4
    head: dict[str, Any] = {
        "playbook": name, "title": f"절차 {name}", "state": "operate", "system": "customer", "stage": "apply",
        "owner": "manager", "purpose": "고객이 답을 받는다.", "overlap": "single" if single else "parallel",
    }  # fmt: skip
    if scheduled:
        head |= {"start": {"schedule": "daily 06:30", "missed": chance.choice(("newest", "all"))}, "case": "period"}
    else:
        head["start"] = {"event": "form.submitted", "connection": f"form-{name}"}
        head["start"] |= {"where": said(where)} if where else {}
        head |= {"fields": FIELDS, "case": "phone"}
    if stops:
        head["stop"] = [{"exchange": list(stops), "outcome": "won"}]
    if chance.random() < 0.3:
        head["on_failure"] = {"tell": "owner"}
    written = json.loads(json.dumps({**head, "steps": [step.written for step in steps]}))
    return Plan(name, tuple(steps), stops, single, where, written, _typed(written))


def _typed(written: dict[str, Any]) -> Playbook:
    text = json.dumps(written, ensure_ascii=False, indent=1)
    version = version_of(Document("", text, data=written))
    return Playbook.model_validate(written).model_copy(update={"text": text, "version": version})


def _condition(chance: random.Random, known: list[str]) -> Condition:
    return chance.choice(known), chance.choice(SIGNS), chance.randrange(10)


def _step(chance: random.Random, id: str, known: list[str], scheduled: bool) -> StepPlan:
    kinds = ["machine"] * 5 + ["person"] * 2 + ["wait"] + ([] if scheduled else ["record", "message"])
    kind = chance.choice(kinds)
    when = _condition(chance, known) if known and chance.random() < 0.25 else None
    written: dict[str, Any] = {"id": id, "do": f"{id}을 한다"}
    action, own = "", None
    if kind == "wait":
        written["wait"] = chance.choice(WAITS[: 2 if scheduled else None])
    else:
        written |= {"by": "machine", "by_hand": "3m", "expect": "되어 있다"}
    if kind == "person":
        own = _by_person(chance, id, written)
    elif kind == "record":
        kind_of = chance.choice(("apply", "apply", "purchase_card", "cancel"))
        written |= {"use": "ledger.record", "with": {"kind": kind_of}}
    elif kind == "message":
        written |= {"use": "message.send", "with": {"message": chance.choice(("one", "two", "two", "ad"))}}
        action = "send"
        if chance.random() < 0.3:
            written["between"] = "09:00-18:00"
    elif kind == "machine":
        action = chance.choice(USES)
        what = "{{ case.id }}/" + id if action == "put" else "x"
        written |= {"use": f"{chance.choice(('shop', 'bank'))}.{action}", "with": {"what": what}}
        own = f"{id}.number"
    if kind in {"machine", "message"} and chance.random() < 0.3:
        written["fallback"] = {"by": chance.choice(("owner", "manager")), "do": "손으로 한다"}
    check = (own, ">=", chance.randrange(1, 5)) if own and chance.random() < 0.2 else None
    ends = (_condition(chance, [own]), chance.choice(("won", "lost"))) if own and chance.random() < 0.2 else None
    if kind not in {"wait", "record"} and chance.random() < 0.15:
        written["valid_for"] = chance.choice(("20m", "2h", "1d"))
    written |= {"when": said(when)} if when else {}
    written |= {"check": said(check)} if check and kind == "machine" else {}
    written |= {"ends": [{"when": said(ends[0]), "outcome": ends[1]}]} if ends else {}
    if own and not when:
        known.append(own)
    return StepPlan(id, kind, written, action, when, check if kind == "machine" else None, ends)


def _by_person(chance: random.Random, id: str, written: dict[str, Any]) -> str | None:
    written["by"] = chance.choice(("owner", "manager"))
    if chance.random() < 0.4:
        written |= {"due": chance.choice(("30m", "1 business day")), "remind": "10m"}
        written["escalate"] = {"after": "2h", "to": "owner"}
    if chance.random() < 0.3:
        return None  # without a form it can be skipped
    written["form"] = {"score": {"type": "integer", "label": "점수"}}
    return f"{id}.score"
