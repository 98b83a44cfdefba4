"""Runs that Prefect starts: a period when its schedule fires, or what is ready when somebody asks; and how runs end."""

from datetime import datetime
from uuid import UUID

from prefect import get_client
from prefect.runtime import flow_run as current
from sqlalchemy import insert, select, update

from flows.engine import scheduler
from flows.playbook.model import Playbook
from flows.playbook.schedule import Schedule
from flows.runs.gather import claim, gather
from flows.runs.house import House, StoppedError
from flows.runs.names import plain
from flows.store import tables as t
from flows.store.read import first
from flows.store.write import new_id

LONGEST = 30.0  # seconds until the engine has opened the case of a period that was just emitted


def begin(house: House, playbook: str, period: str | None) -> str | None:
    """What a flow run without a run of its own shows. Returns the run's id; none when nothing was ready."""
    flow_run, known = str(current.id), house.book.playbooks.get(playbook)
    if known is None:
        return None
    if known.start.schedule is None:
        return _gathered(house, playbook, flow_run)
    schedule = Schedule.parse(known.start.schedule)
    period = period or schedule.latest(house.now(), house.book.company.zone)[0]
    schedule.date_of(period)  # raises ValueError for what is no period of ours
    with get_client(sync_client=True) as client:
        client.set_flow_run_name(UUID(flow_run), plain(f"{known.title} · {period}"))
    return _period(house, known, period, flow_run)


def _gathered(house: House, playbook: str, flow_run: str) -> str | None:
    """The cases of this playbook that wait to be shown, if there are any."""
    if house.stand_in:  # nobody else may be there who gathers
        house.advance()
        while gather(house):
            pass
    r = t.run.c
    gathered = select(t.run).where(r.playbook == playbook, r.state == "open", r.flow_run.is_(None))
    with house.lock, house.store.write() as session:
        found = first(session, gathered.where(r.id.not_in(house.opening)))
        if found is None:
            return None
        session.execute(update(t.run).where(r.id == found["id"]).values(flow_run=flow_run))
        run: str = found["id"]
    return run


def _period(house: House, playbook: Playbook, period: str, flow_run: str) -> str | None:
    """Start a period if nobody has, and show its case in this flow run."""
    now, key = house.now(), (playbook.playbook, period)
    house.claimed.add(key)
    if house.stand_in:
        claim(house, key)
    try:
        with house.store.write() as session:
            scheduler.start(session, playbook.playbook, period, now)
        house.wake()
        return _attach(house, playbook, period, flow_run)
    finally:
        house.claimed.discard(key)


def _attach(house: House, playbook: Playbook, period: str, flow_run: str) -> str | None:
    c = t.case.c
    wanted = select(t.case).where(c.playbook == playbook.playbook, c.period == period)
    for _ in range(int(LONGEST / 0.1)):
        house.advance()
        with house.store.read() as session:
            case = first(session, wanted)
        if case:
            run = new_id()
            with house.store.write() as session:
                session.execute(insert(t.run).values(
                    id=run, playbook=playbook.playbook, version=case["version"], flow_run=flow_run, state="open",
                    opened_at=house.now(),
                ))  # fmt: skip
                session.execute(insert(t.run_case).values(run_id=run, case_id=case["id"], leg=case["leg"]))
            return run
        if house.stop.wait(0.1):
            raise StoppedError
    return None  # the engine is away; its case has a run of its own when it comes


def end(house: House, run: str, at: datetime) -> str | None:
    """Write down that a run has ended. Returns Prefect's id of it, if it is shown there."""
    with house.store.write() as session:
        session.execute(update(t.run).where(t.run.c.id == run).values(state="ended", ended_at=at))
        found = session.execute(select(t.run.c.flow_run).where(t.run.c.id == run)).scalar()
    return str(UUID(found)) if found else None
