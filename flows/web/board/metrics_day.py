"""One day of a metric: every number that stood there, and the form by which a person types or corrects it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from unicodedata import normalize

from sqlalchemy import Connection
from starlette.responses import Response

from flows.ledger.pictures.numbers import exact
from flows.ledger.readings import Key, Value, conflict_of, correct, current_of, keep, key_of, release
from flows.ledger.series import history
from flows.playbook.metrics import Metric
from flows.store.read import Row
from flows.store.write import audit
from flows.web.board.ask import Ask
from flows.web.board.metrics_one import day_of, source_said
from flows.web.board.words.metrics import METRICS
from flows.web.body import Refused
from flows.web.page import after

_LARGEST = Decimal(10) ** 15
_DECIMALS = 6
_NUMBER = re.compile(r"-?(\d{1,3}(,\d{3})+|\d{1,40})(\.\d{1,40})?", re.ASCII)
_FIELDS = ("value", "none", "reason", "part", "seen")
_TOLD = frozenset({"saved", "same", "ours", "theirs"})


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed, and what is wrong with it by field."""

    said: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    value: Decimal | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """One number that stood there, told."""

    row: Row
    value: str
    before: str
    standing: str
    source: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Part:
    """All numbers of one account or dimension, the newest first; `theirs`: what the source says otherwise."""

    label: str
    newest: int
    revisions: list[Revision]
    ours: str
    theirs: str
    pinned: bool


class Stale(Exception):  # noqa: N818 - no error: somebody was quicker
    """The number is not the one that was shown."""


def get(ask: Ask, session: Connection) -> Response:
    return _page(ask, session, Typed())


async def post(ask: Ask) -> Response:
    """Type, correct, keep ours or take the source's: a second press of the same changes nothing."""
    metric, on = _metric(ask), day_of(ask)
    if derived(metric):
        raise Refused(409, ask.words(METRICS)["from_exchanges" if metric.source.exchanges else "from_minutes"])
    press = ask.said("_press")
    typed = _typed(ask, metric) if press == "save" else Typed({name: ask.said(name) for name in _FIELDS})
    if press not in {"save", "ours", "theirs"}:
        raise Refused(404, ask.words()["nothing"])
    if typed.wrong:
        return await ask.read(lambda session: _page(ask, session, typed, 422))
    try:
        told = await ask.write(lambda session: _act(ask, session, on, press, typed))
    except Stale:
        late = Typed(typed.said, value=typed.value, stale=True)
        return await ask.read(lambda session: _page(ask, session, late, 409))
    except NeedsReason:
        wrong = Typed(typed.said, {"reason": ask.words(METRICS)["reason_missing"]})
        return await ask.read(lambda session: _page(ask, session, wrong, 422))
    return after(f"{ask.request.url.path}?told={told}")


class NeedsReason(Exception):  # noqa: N818 - a question to the person
    """A number that stands already is corrected only with a reason."""


def derived(metric: Metric) -> bool:
    """Whether its numbers are counted from what is ours, and corrected there."""
    return bool(metric.source.exchanges or metric.source.minutes_of)


def _metric(ask: Ask) -> Metric:
    found = ask.context.world.book.metrics.metrics.get(ask.request.path_params["metric"])
    if found is None:
        raise Refused(404, ask.words()["nothing"])
    return found


def _typed(ask: Ask, metric: Metric) -> Typed:
    said = {name: ask.said(name)[:500] for name in _FIELDS}
    wrong, value = dict[str, str](), None
    if said["value"] and said["none"]:
        wrong["value"] = "value_both"
    elif said["value"]:
        try:
            value = _number(said["value"])
        except (ValueError, ArithmeticError):  # what is far too large overflows
            wrong["value"] = "value_wrong"
        else:
            if value < 0 and metric.unit in {"count", "minutes"}:
                wrong["value"] = "value_below"
    elif not said["none"]:
        wrong["value"] = "value_needed"
    if metric.source.use and not said["reason"]:
        wrong["reason"] = "reason_missing"
    words = ask.words(METRICS)
    return Typed(said, {name: words[key] for name, key in wrong.items()}, value)


def _number(text: str) -> Decimal:
    """As people write it: digits, with commas between thousands or none. Raises ValueError, also for `1,5`."""
    plain = normalize("NFKC", text).strip()
    if not _NUMBER.fullmatch(plain):
        raise ValueError(text)
    found = Decimal(plain.replace(",", ""))
    if abs(found) >= _LARGEST or -int(found.as_tuple().exponent) > _DECIMALS:
        raise ValueError(text)
    return found


def _parts(ask: Ask, session: Connection, on: date) -> list[tuple[Key, list[Row]]]:
    """What has numbers of this day; and the whole, where there is nothing yet, or several that make it."""
    id = ask.request.path_params["metric"]
    found = sorted(history(session, id, on).items())
    whole = key_of(ask.context.world.book, Value(id, on, None, "person"))
    return found if len(found) == 1 or whole in dict(found) else [*found, (whole, [])]


def _act(ask: Ask, session: Connection, on: date, press: str, typed: Typed) -> str:
    """In one transaction: see that it is the number that was shown, then write. Raises Stale and NeedsReason."""
    said, parts = typed.said, _parts(ask, session, on)
    place, shown = _place(said["part"], len(parts)), said["seen"].split(".")
    if place is None:
        raise Stale
    key, known = parts[place]
    now, value = current_of(known), _value(ask, key, typed)
    if press == "save" and now and _says(now, value) and now["by"] == ask.user.name:
        return "same"
    if len(shown) != len(parts) or shown[place] != str(_newest(known)):
        raise Stale
    if press == "save":
        return _save(ask, session, known, value, said["reason"])
    return _settle(ask, session, key, known, press)


def _newest(known: list[Row]) -> int:
    return int(known[-1]["revision"]) if known else 0


def _place(said: str, parts: int) -> int | None:
    """Which of the parts is meant; the only one needs no word."""
    if not said and parts == 1:
        return 0
    place = int(said) if said.isascii() and said.isdecimal() and len(said) < 4 else parts
    return place if place < parts else None


def _value(ask: Ask, key: Key, typed: Typed) -> Value:
    dimensions = json.loads(key.dimensions) if key.dimensions else {}
    return Value(
        key.metric, date.fromisoformat(key.day), typed.value, "person", ask.user.name, key.account, key.channel,
        dimensions, applies=not typed.said.get("none"),
    )  # fmt: skip


def _says(row: Row, value: Value) -> bool:
    return bool(row["status"] == value.status and row["value"] == value.value)


def _save(ask: Ask, session: Connection, known: list[Row], value: Value, reason: str) -> str:
    book, now = ask.context.world.book, current_of(known)
    fresh = now is None or now["status"] == "missing"
    if not fresh and not reason:
        raise NeedsReason
    if fresh and book.metrics.metrics[value.metric].source.by:
        keep(session, book, [value], ask.now)
    else:
        correct(session, book, value, ask.now, reason)
    _audit(ask, session, "reading", value.metric, known, value.value, value.status, reason)
    return "saved"


def _settle(ask: Ask, session: Connection, key: Key, known: list[Row], press: str) -> str:
    """A conflict: ours is said once more, or the source's word counts again."""
    book, now, words = ask.context.world.book, current_of(known), ask.words(METRICS)
    theirs = next((row for row in reversed(known) if row["standing"] != "pinned"), None)
    if now is None or now["standing"] != "pinned" or (press == "ours" and not conflict_of(known)):
        raise Stale
    if press == "theirs":
        release(session, book, key, ask.user.name, ask.now, words["took_theirs_why"])
        value, status = (theirs["value"], theirs["status"]) if theirs else (None, "missing")
        _audit(ask, session, "took source", key.metric, known, value, status, None)
        return "theirs"
    ours = Typed({"none": "yes" if now["status"] == "not_applicable" else ""}, value=now["value"])
    value = _value(ask, key, ours)
    correct(session, book, value, ask.now, words["kept_ours_why"])
    _audit(ask, session, "kept ours", key.metric, known, now["value"], now["status"], None)
    return "ours"


def _audit(
    ask: Ask, session: Connection, what: str, metric: str, known: list[Row], value: Decimal | None, status: str,
    reason: str | None,
) -> None:  # fmt: skip
    was, day = current_of(known), ask.request.path_params["day"]
    before = "missing" if was is None else str(was["value"]) if was["value"] is not None else was["status"]
    now = str(value) if value is not None else status
    audit(session, ask.user.name, what, f"{metric}/{day}", ask.now, reason or None, before=before, after=now)


def _page(ask: Ask, session: Connection, typed: Typed, status: int = 200) -> Response:
    metric, on = _metric(ask), day_of(ask)
    id, words = ask.request.path_params["metric"], ask.words(METRICS)
    several = _parts(ask, session, on)
    parts = [_part(ask, metric, key, known) for key, known in several]
    parts = [
        replace(part, revisions=[]) if len(parts) > 1 and _bare(key, known) else part
        for part, (key, known) in zip(parts, several, strict=True)
    ]
    told = ask.said("told") if ask.request.method == "GET" else ""
    known = any(part.ours for part in parts)
    closed = "from_exchanges" if metric.source.exchanges else "from_minutes" if metric.source.minutes_of else ""
    return ask.page(
        "metric_day.html", METRICS, status,
        id=id, metric=metric, day=ask.say.day(on), on=on.isoformat(), parts=parts, source=source_said(ask, metric),
        said={**dict.fromkeys(_FIELDS, ""), **typed.said}, wrong={**dict.fromkeys(_FIELDS, ""), **typed.wrong},
        any_wrong=bool(typed.wrong), stale=typed.stale, told=told if told in _TOLD else None, known=known,
        why_not=words[closed] if closed else "", reason_needed=known or bool(metric.source.use),
    )  # fmt: skip


def _bare(key: Key, known: list[Row]) -> bool:
    """Whether it is the whole, of which nobody ever said a number: beside its parts it tells nothing."""
    return not any(key[2:]) and all(row["status"] == "missing" for row in known)


def _part(ask: Ask, metric: Metric, key: Key, known: list[Row]) -> Part:
    """A key's rows, the newest first, each beside what counted before it."""
    now, words, found = current_of(known), ask.words(METRICS), list[Revision]()
    counted: Row | None = None
    for row in known:
        before = _said(ask, metric, counted) if counted and row["standing"] != "beside" else ""
        typed = row["standing"] == "pulled" and row["by"]
        standing = words["standing_typed" if typed else f"standing_{row['standing']}"]
        found.append(Revision(row, _said(ask, metric, row), before, standing, _source(ask, row), row is now))
        counted = row if row["standing"] != "beside" else counted
    apart = conflict_of(known)
    label = " · ".join([key.account, *(json.loads(key.dimensions).values() if key.dimensions else ())]).strip(" ·")
    return Part(
        label or words["whole"], _newest(known), found[::-1],
        _said(ask, metric, now) if now and now["status"] != "missing" else "",
        _said(ask, metric, apart) if apart else "", bool(now and now["standing"] == "pinned"),
    )  # fmt: skip


def _said(ask: Ask, metric: Metric, row: Row) -> str:
    if row["value"] is not None:
        return exact(row["value"], metric.unit, ask.context.world.book.company.format)
    return ask.words(METRICS)["is_none" if row["status"] == "not_applicable" else "nothing_known"]


def _source(ask: Ask, row: Row) -> str:
    words = ask.words(METRICS)
    match row["source"]:
        case "person":
            return ask.say.who(row["by"])
        case "exchanges":
            return words["by_exchanges"]
        case "pull":
            return "digilog"
    return str(row["source"]).partition(".")[0]
