"""Moves one case on, step by step, until it must wait for a time, a person or a service."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from connectors.errors import ConnectorError, NotConnected, Rejected
from flows.engine.walk import Walk
from flows.engine.world import OUTGOING_STATES
from flows.ledger.call import Blocked, Deferred, Outgoing
from flows.ledger.parties import withdrawn
from flows.people.assignments import CONFIRM
from flows.playbook.model import Step, Stop
from flows.playbook.text import MissingValue, render_all
from flows.store import data as kept
from flows.store import tables as t
from flows.store.prepared import Prepared
from flows.store.read import Row, first
from flows.store.write import make_effect

MOST_ITEMS = 1_000  # of `for_each`
_a, _e, _pe = t.assignment.c, t.effect.c, t.private_effect.c
_NEWEST_ASSIGNMENT = Prepared(
    select(t.assignment)
    .where(
        _a.case_id == bindparam("case"),
        _a.step == bindparam("step"),
        or_(_a.kind == bindparam("kind"), _a.kind == bindparam("other")),
        _a.state != "withdrawn",
    )
    .order_by(_a.opened_at.desc(), _a.done_at.is_not(None), _a.done_at.desc(), _a.kind.desc())
    .limit(1)
)
_ANSWERS = Prepared(
    select(t.private_assignment.c.answers).where(t.private_assignment.c.assignment_id == bindparam("assignment"))
)
_EFFECTS = Prepared(
    select(t.effect, _pe.arguments, _pe.result)
    .join(t.private_effect)
    .where(_e.case_id == bindparam("case"), _e.step == bindparam("step"), _e.state != "cancelled")
    .order_by(_e.id)
)


def advance(walk: Walk) -> None:
    """Move a case as far as it goes now, and save it."""
    _stop_or_go(walk)
    walk.save()


def _stop_or_go(walk: Walk) -> None:
    while walk.case["status"] != "ended":
        step = walk.step
        if step is None:
            walk.end("done", "ended")
            return
        if stop := next((stop for stop in walk.playbook.stop if _stops(walk, stop)), None):
            said = stop.when.source if stop.when else f"consent withdrawn ({stop.purpose})"
            walk.end(stop.outcome, "stopped", f"stop: {said}")
            return
        place = walk.case["step"]
        _take(walk, step)
        if walk.case["step"] == place:
            return


def _stops(walk: Walk, stop: Stop) -> bool:
    """Whether a stop that is asked before every step holds now."""
    if stop.consent:
        return withdrawn(walk.session, walk.case["party_id"], stop.purpose or "")
    return bool(stop.when and walk.holds(stop.when))


def _take(walk: Walk, step: Step) -> None:
    fresh = walk.case["began_at"] is None
    if fresh:
        walk.case["began_at"] = walk.now
        if step.when and not walk.holds(step.when):
            walk.go_on("skipped")
            return
    if step.wait:
        _wait(walk, step)
    elif step.by and not step.by.machine:
        _by_person(walk, step)
    elif fresh:  # nothing can have been asked or called for it yet
        _start(walk, step)
    else:
        _by_machine(walk, step)


def _wait(walk: Walk, step: Step) -> None:
    until = walk.resolve(step.wait, walk.case["began_at"]) if step.wait else None
    if until is None or until <= walk.now:
        walk.go_on("done", {"happened": False})
    else:
        walk.stand("waiting", until)


def _by_person(walk: Walk, step: Step) -> None:
    asked = _assignment(walk, step, "step")
    if asked is None and step.by:
        if _too_late(walk, step):
            return
        walk.assign("step", step.by.role, step, by=step.by)
        walk.stand("assigned")
    elif asked and asked["state"] == "done":
        answers = _answers(walk, asked)
        if _fails(walk, step, answers):
            walk.note("failed", by=asked["done_by"], reason=_unchecked(step))
            walk.assign("step", step.by.role if step.by else asked["role"], step, _unchecked(step), by=step.by)
            walk.stand("assigned")
        else:
            walk.go_on("done", answers, by=asked["done_by"])
    elif asked and asked["state"] == "skipped":
        walk.go_on("skipped", by=asked["done_by"], reason=asked["reason"])
    else:
        walk.stand("assigned")


def _assignment(walk: Walk, step: Step, kind: str, other: str = "") -> Row | None:
    return _NEWEST_ASSIGNMENT.first(walk.session, case=walk.case["id"], step=step.id, kind=kind, other=other)


def _answers(walk: Walk, asked: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = kept.load(_ANSWERS.the(walk.session, assignment=asked["id"])["answers"])
    return found


def _by_machine(walk: Walk, step: Step) -> None:
    called = walk.case["status"] in {"calling", "parked"}  # then no person was asked
    asked = None if called else _assignment(walk, step, "fallback", "doubt")
    if asked is None and not called and (pressed := _assignment(walk, step, CONFIRM)):
        _confirmed(walk, step, pressed)
    elif asked is None:
        _call_or_result(walk, step)
    elif asked["state"] in {"open", "claimed"}:
        walk.stand("in_doubt" if asked["kind"] == "doubt" else "assigned")
    elif asked["kind"] == "doubt" and not _answers(walk, asked)["happened"]:
        _to_person(walk, step, "it did not happen, as a person found; a machine never sends it again", failed=False)
    elif asked["state"] == "skipped":
        walk.go_on("skipped", by=asked["done_by"], reason=asked["reason"])
    else:
        walk.go_on("done", _answers(walk, asked), by=asked["done_by"])


def _confirmed(walk: Walk, step: Step, pressed: Mapping[str, Any]) -> None:
    """What a person said of a call that is prepared in state trial."""
    if pressed["state"] in {"open", "claimed"}:
        walk.stand("assigned")
    elif _answers(walk, pressed)["send"]:
        _call_or_result(walk, step, confirmed=True)
    else:
        walk.go_on("skipped", by=pressed["done_by"], reason="a person did not let it go")


def _call_or_result(walk: Walk, step: Step, *, confirmed: bool = False) -> None:
    effects = _EFFECTS.rows(walk.session, case=walk.case["id"], step=step.id)
    if step.for_each and effects:
        effects = _in_order(effects)
    match effects[-1]["state"] if effects else None:
        case None:
            _start(walk, step, confirmed=confirmed)
        case "failed" if step.for_each:
            failed = [effect for effect in effects if effect["state"] == "failed"]
            _to_person(walk, step, f"{len(failed)} of {len(effects)} failed: {failed[-1]['reason']}")
        case "done" | "dropped" if step.for_each:
            _take_results(walk, step, effects)
        case "done":
            _take_result(walk, step, effects[-1])
        case "failed":
            _failed(walk, step, effects)
        case "dropped":
            walk.go_on("dropped", reason=effects[-1]["reason"])
        case "in_doubt":
            walk.case["failed"] = True
            walk.tell_failure(step, effects[-1]["reason"])
            walk.assign("doubt", walk.playbook.owner, step, effects[-1]["reason"])
            walk.stand("in_doubt", reason=effects[-1]["reason"])
        case _:
            parked = effects[-1]["state"] == "due" and effects[-1]["attempt"] > 0
            walk.stand("parked" if parked else "calling", reason=effects[-1]["reason"])


def _take_result(walk: Walk, step: Step, effect: Row) -> None:
    result = kept.load(effect["result"] or "null")
    _checked(walk, step, result if result is not None else {}, by="machine")


_LAST = ("dropped", "done", "failed", "in_doubt", "due", "sending")  # what counts of several, the most urgent last


def _in_order(effects: list[Row]) -> list[Row]:
    """The effects of several items, the one that decides what is next at the end."""
    return sorted(effects, key=lambda effect: _LAST.index(effect["state"]))


def _take_results(walk: Walk, step: Step, effects: list[Row]) -> None:
    done = sorted((one for one in effects if one["state"] == "done"), key=lambda effect: effect["id"])
    results = [kept.load(effect["result"] or "null") for effect in done]
    _checked(walk, step, {"count": len(results), "results": results}, by="machine")


def _checked(walk: Walk, step: Step, result: object, by: str | None) -> None:
    """Pass the step if its own `check` holds on its result."""
    if _fails(walk, step, result):
        _to_person(walk, step, _unchecked(step))
    else:
        walk.go_on("done", result, by=by)


def _fails(walk: Walk, step: Step, result: object) -> bool:
    walk.data["results"][step.id] = result
    return bool(step.check and not walk.holds(step.check))


def _unchecked(step: Step) -> str:
    return f"check failed: {step.check.source if step.check else ''}"


def _failed(walk: Walk, step: Step, effects: list[Row]) -> None:
    """Another medium if the message has one; else a person."""
    if effects[-1]["message"]:
        try:
            _do(walk, step, _mediums(effects))
        except ConnectorError:
            pass
        else:
            return
    _to_person(walk, step, effects[-1]["reason"])


def _mediums(effects: list[Row]) -> tuple[str, ...]:
    return tuple(kept.load(effect["arguments"])["medium"] for effect in effects)


def _by_hand(walk: Walk, step: Step) -> str:
    return (step.fallback.by if step.fallback else None) or walk.playbook.owner


def _to_person(walk: Walk, step: Step, reason: str | None, *, failed: bool = True) -> None:
    """The step goes back to a person: the day never stays empty."""
    role = _by_hand(walk, step)
    walk.case["failed"] = failed
    walk.note("failed" if failed else "handed", by="machine", reason=reason)
    if failed:
        walk.tell_failure(step, reason)
    walk.assign("fallback", role, step, reason)
    walk.stand("assigned")


def _start(walk: Walk, step: Step, *, confirmed: bool = False) -> None:
    if _too_late(walk, step):
        return
    opens = step.between.next(walk.now, walk.world.book.company.zone) if step.between else walk.now
    if opens > walk.now:
        walk.stand("waiting", opens, "outside its hours", say="deferred")
        return
    outgoing = walk.world.action(step.use or "").outgoing
    state = walk.world.state(walk.playbook.playbook)
    if outgoing and state not in OUTGOING_STATES and not confirmed:
        live = walk.world.book.playbooks.get(walk.playbook.playbook)
        if state == "trial" and live and live.machine_in_trial == "confirm":
            walk.assign(CONFIRM, _by_hand(walk, step), step, "prepared: it leaves when a person says so")
            walk.stand("assigned")
            return
        _to_person(walk, step, f"the playbook is in state {state}: by hand, so that both can be compared", failed=False)
        return
    try:
        _do(walk, step)
    except NotConnected as error:
        _park_unconnected(walk, error)
    except ConnectorError as error:
        _to_person(walk, step, error.reason)
    except MissingValue as error:
        _to_person(walk, step, f"{error.path} has no value")


def _too_late(walk: Walk, step: Step) -> bool:
    until = walk.resolve(step.valid_for, walk.case["began_at"]) if step.valid_for else None
    if until is None or walk.now <= until:
        return False
    walk.go_on("dropped", reason="too late: not done after its time")
    return True


def _do(walk: Walk, step: Step, tried: tuple[str, ...] = ()) -> None:
    """Render the arguments and do what only touches our store, or make the effect that goes out."""
    if step.for_each:
        _do_each(walk, step)
        return
    name, _, does = (step.use or "").partition(".")
    action = walk.world.action(step.use or "")
    arguments = render_all(step.arguments, walk.scope.shown, walk.world.format)
    if action.effect in {"inside", "resolver"}:
        built_in = walk.world.connection(name)
        result = built_in.call(does, arguments, key=walk.key(step), call=walk.call(step, tried))
        match result:
            case Blocked(reason):
                walk.go_on("blocked", by="machine", reason=reason)
            case Deferred(until, reason):
                walk.stand("waiting", until, reason, say="deferred")
            case Outgoing():
                _make_effect(walk, step, result)
            case _:
                _checked(walk, step, result, by="machine")
        return
    _make_effect(walk, step, Outgoing(name, does, arguments))


def _do_each(walk: Walk, step: Step) -> None:
    """Do the action once for each item of a list. Raises Rejected for what is no list, or a longer one than is kept."""
    items = walk.scope.value(step.for_each or "")
    if not isinstance(items, list | tuple) or len(items) > MOST_ITEMS:
        raise Rejected(f"{step.for_each} is no list of at most {MOST_ITEMS:,} items")
    name, _, does = (step.use or "").partition(".")
    inside = walk.world.action(step.use or "").effect == "inside"
    found: list[Any] = []
    try:
        ready = [_of_item(walk, step, item) for item in items]  # all of them, before the first one leaves
        for number, (arguments, walk.scope.item) in enumerate(zip(ready, items, strict=True), 1):
            if inside:
                call = replace(walk.call(step), key=walk.key(step, str(number)))
                found.append(walk.world.connection(name).call(does, arguments, key=call.key, call=call))
            else:
                found.append(_make_effect(walk, step, Outgoing(name, does, arguments), str(number)))
    finally:
        walk.scope.item = None
    if inside or not any(found):  # nothing to be called, or all of it was asked for before under the same keys
        _checked(walk, step, {"count": len(found), "results": found if inside else []}, by="machine")
    else:
        walk.stand("calling")


def _of_item(walk: Walk, step: Step, item: object) -> dict[str, Any]:
    """The arguments for one item. Raises MissingValue, for the step's key too."""
    walk.scope.item = item
    if step.key:
        step.key.render(walk.scope.shown, walk.world.format)
    return dict(render_all(step.arguments, walk.scope.shown, walk.world.format))


def _make_effect(walk: Walk, step: Step, out: Outgoing, item: str = "") -> bool:
    """Make the effect of a step, or of one of its items; false if the same key was asked before."""
    valid = walk.resolve(step.valid_for, walk.case["began_at"]) if step.valid_for else None
    key = str(step.key.render(walk.scope.shown, walk.world.format)) if step.key else None
    if key and _asked_before(walk, key):
        if not item:
            walk.go_on("done", {}, by="machine", reason="asked before under the same key")
        return False
    make_effect(
        walk.session,
        walk.now,
        out.arguments,
        key=key or walk.key(step, *(one for one in (out.medium, item) if one)),
        case_id=walk.case["id"],
        party_id=walk.case["party_id"],
        step=step.id,
        connection=out.connection,
        action=out.action,
        effect_class=walk.world.action(f"{out.connection}.{out.action}").effect,
        message=out.message,
        valid_until=valid,
    )
    if not item:
        walk.stand("calling")
    return True


def _asked_before(walk: Walk, key: str) -> bool:
    """Whether this key is at work or done; one that came to nothing gives its key back."""
    e = t.effect.c
    found = first(walk.session, select(t.effect).where(e.key == key))
    if found and found["state"] in {"failed", "cancelled", "dropped"}:
        walk.session.execute(update(t.effect).where(e.id == found["id"]).values(key=f"{key}#{found['id']}"))
        return False
    return found is not None


def _park_unconnected(walk: Walk, error: NotConnected) -> None:
    """A built-in or resolver met a connection without its secret: look again in a while."""
    walk.case["failed"] = True
    walk.stand("parked", walk.now + timedelta(minutes=5), error.reason)
