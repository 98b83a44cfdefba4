"""Which cases share a run: read from the journal behind a durable cursor, whether Prefect is there or not."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, or_, select

from flows.runs.house import House
from flows.store import tables as t
from flows.store.locks import GATHERING, alone
from flows.store.read import Row, first, rows
from flows.store.write import new_id, set_setting, setting

CURSOR = "runs_cursor"
WINDOW, UNDER_LOAD = timedelta(seconds=0.5), timedelta(seconds=2)
CASES = 500  # of one run
AT_ONCE = 2  # runs of one playbook
_CLAIMS = "runs_claims"  # periods that workers outside `up` show, with when they said so
_CLAIMED = timedelta(seconds=60)
_LINES = 5_000  # of the journal at one look
_REMARKS = frozenset({"noted", "retried"})  # said about a case that stands still

Leg = tuple[str, int]


def gather(house: House) -> int:
    """Put cases that became ready into the run their version gathers. Returns how many journal lines were read."""
    j = t.journal.c
    with house.store.read() as session:
        cursor = int(setting(session, CURSOR) or 0)
        if not first(session, select(j.id).where(j.id > cursor).limit(1)):
            return 0
    newest = house.store.newest(j.id)  # no line up to there is still to come
    with house.store.read() as session:
        here = select(t.journal).where(j.id > cursor, j.id <= newest)
        lines = rows(session, here.order_by(j.id).limit(_LINES))
        if not lines:
            return 0
        fresh = _fresh(session, house, lines)
    with house.store.write() as session:
        alone(session, GATHERING)
        if int(setting(session, CURSOR) or 0) == cursor:  # else another process was first, and these are seen anew
            for (playbook, version), legs in fresh.items():
                _add(session, playbook, version, legs, house)
            set_setting(session, CURSOR, str(lines[-1]["id"]))
    return len(lines)


def due(house: House) -> list[str]:
    """Gathered runs whose window is over, and who may open beside those of their playbook, oldest first."""
    r, now = t.run.c, house.now()
    size = select(func.count()).where(t.run_case.c.run_id == r.id).scalar_subquery()
    open_ = or_(r.state == "open", r.id.in_(house.opening))  # ended here, but perhaps not yet in Prefect
    with house.store.read() as session:
        found = rows(session, select(t.run, size.label("size")).where(open_).order_by(r.opened_at, r.id))
    shown: defaultdict[str, int] = defaultdict(int)
    for row in found:
        shown[row["playbook"]] += row["flow_run"] is not None or row["id"] in house.opening
    ready = []
    for row in found:
        if row["flow_run"] is not None or row["id"] in house.opening or shown[row["playbook"]] >= AT_ONCE:
            continue
        window = UNDER_LOAD if shown[row["playbook"]] else WINDOW
        if row["size"] >= CASES or not timedelta() <= now - row["opened_at"] < window:
            shown[row["playbook"]] += 1
            ready.append(row["id"])
    return ready


def _fresh(session: Connection, house: House, lines: list[Row]) -> dict[tuple[str, str], dict[Leg, None]]:
    """Legs that no run shows yet, in the journal's order."""
    cases = {line["case_id"] for line in lines}
    seen, claimed = _seen(session, cases), _claimed(session, house)
    fresh: dict[tuple[str, str], dict[Leg, None]] = {}
    for line in lines:
        leg = (line["case_id"], line["leg"])
        if leg in seen and (until := seen[leg]) is not None and (line["at"] <= until or line["state"] == "held"):
            continue
        is_shown = leg in seen and seen[leg] is None
        waits_to_be_let_go = line["state"] == "opened" and line["reason"]
        if is_shown or waits_to_be_let_go or line["state"] in _REMARKS or line["case_id"] in claimed:
            continue
        fresh.setdefault((line["playbook"], line["version"]), {})[leg] = None
    return fresh


def _seen(session: Connection, cases: Iterable[str]) -> dict[Leg, datetime | None]:
    """Legs that a run shows or showed: when the newest ended, none while one is open."""
    c, seen = t.run_case.c, dict[Leg, datetime | None]()
    wanted = sorted(cases)
    for some in (wanted[start : start + 500] for start in range(0, len(wanted), 500)):
        found = select(c.case_id, c.leg, t.run.c.ended_at).join(t.run, t.run.c.id == c.run_id)
        for row in rows(session, found.where(c.case_id.in_(some))):
            leg = (row["case_id"], row["leg"])
            before = seen.get(leg, row["ended_at"])
            seen[leg] = max(before, row["ended_at"]) if before and row["ended_at"] else None
    return seen


def claim(house: House, period: tuple[str, str]) -> None:
    """Tell gathering processes that a flow run here shows this period (playbook, period) itself."""
    with house.store.write() as session:
        said = setting(session, _CLAIMS)
        claims = {key: at for key, at in json.loads(said or "{}").items() if _holds(at, house.now())}
        claims["/".join(period)] = house.now().isoformat()
        set_setting(session, _CLAIMS, json.dumps(claims))


def _claimed_elsewhere(session: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    for key, at in json.loads(setting(session, _CLAIMS) or "{}").items():
        if _holds(at, now):
            playbook, _, period = key.partition("/")
            yield playbook, period


def _holds(at: str, now: datetime) -> bool:
    return abs(now - datetime.fromisoformat(at)) < _CLAIMED


def _claimed(session: Connection, house: House) -> set[str]:
    """Cases of periods that a scheduled run is about to show itself."""
    c = t.case.c
    return {
        id
        for playbook, period in {*house.claimed, *_claimed_elsewhere(session, house.now())}
        for id in session.execute(select(c.id).where(c.playbook == playbook, c.period == period)).scalars()
    }


def _add(session: Connection, playbook: str, version: str, legs: Iterable[Leg], house: House) -> None:
    """Into the run that gathers, up to its size; then into further ones. No run holds two legs of a case."""
    left = list(legs)
    r = t.run.c
    gathering = select(r.id).where(
        r.playbook == playbook, r.version == version, r.state == "open", r.flow_run.is_(None)
    )
    gathering = gathering.where(r.id.not_in(house.opening))
    for run in session.execute(gathering.order_by(r.opened_at, r.id)).scalars().all():
        left = _put(session, run, left)
    while left:
        run = new_id()
        row = {"id": run, "playbook": playbook, "version": version, "state": "open", "opened_at": house.now()}
        session.execute(insert(t.run).values(row))
        left = _put(session, run, left)


def _put(session: Connection, run: str, legs: list[Leg]) -> list[Leg]:
    """Put what fits into a run. Returns the rest."""
    inside = set(session.execute(select(t.run_case.c.case_id).where(t.run_case.c.run_id == run)).scalars())
    some, rest = [], []
    for case, leg in legs:
        if case in inside or len(inside) >= CASES:
            rest.append((case, leg))
        else:
            inside.add(case)
            some.append({"run_id": run, "case_id": case, "leg": leg})
    if some:
        session.execute(insert(t.run_case), some)
    return rest
