"""Fills a store as years of the example company would: cases, customers, and all that hangs on them. For the board."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, text

from flows.playbook.model import Book
from flows.store import tables as t
from flows.store.store import Store

_EVERY = 864_000_000  # microseconds between two cases: a hundred a day
_LIVE = 600  # the newest ones, which may still be open; however many there are
_FAMILY, _GIVEN = "김이박최정강조윤장임한오서신권황안송전홍", "하나민지서준도윤지우예은시현수빈유진"
_CONFIRMED = {
    "medium": "alimtalk",
    "to": "+821023456789",
    "text": "김하나 님, 체험수업이 확정되었습니다. 합정점 12-02 10:00",
}
_SAID = {"fields": {"name": "김하나", "phone": "+821023456789", "branch": "합정점", "news": False}, "results": {}}
_NOTICE = {"medium": "team", "to": "yoon@onda.example", "text": "[새 할 일] 강사를 정하고 시간을 확정한다"}

# The words of the templates. n: the number of a case, from 1; age: how many came after it; at: when it came.
_LIVES = "(age < {live} AND n % 2 = 0)"
_STUCK = "(age < {live} AND n % 60 = 30)"
_PLAYBOOK = (
    "(CASE WHEN n % 20 < 12 THEN 'trial-booking' WHEN n % 20 < 17 THEN 'after-trial' "
    "WHEN n % 20 < 19 THEN 'partner-inquiry' ELSE 'letter-subscribe' END)"
)
_TRIAL = "n % 20 < 12"
_STEPS = {  # of the trial's own steps, those of the other playbooks that stand for it
    "log": ("memo", "log", "log"), "assign": ("memo", "answer", "call"), "confirm": ("summary", "tell", "welcome"),
    "list": ("list", "tell", "line"), "day_before": ("terms", "answer", "heard"), "reminder": ("buy", "tell", "line"),
    "attend": ("consult", "answer", "call"),
}  # fmt: skip
_MOVED = f"NOT {_LIVES}"
_PHONE = "'+8210' || (10000000 + n)"
_BACKWARDS = " || ".join(f"substr({_PHONE}, {place}, 1)" for place in range(13, 0, -1))


def fill(store: Store, book: Book, now: datetime, count: int, customers: int) -> None:
    """Write `count` cases of `customers` people up to `now`, a hundred a day. The store is empty before."""
    with store.write() as session:
        postgres = session.dialect.name == "postgresql"
        _versions(session, book, now)
        _readings(session, book, now, 100 + count // 100)
        given = {"count": count, "customers": customers, "live": _LIVE, "every": _EVERY, "newest": _micros(now),
                 "family": _FAMILY, "given": _GIVEN, "blob": "bytea" if postgres else "BLOB"}  # fmt: skip
        if postgres:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # what refers to what is known
        for table, values, upto, where in _rows(book):
            _insert(session, table, values, upto, where, given)
        if postgres:
            for table in t.metadata.sorted_tables:
                if "id" in table.c and table.c.id.autoincrement is True:
                    session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), 20000000)"))
    if postgres:
        with store.write() as session:
            session.execute(text("ANALYZE"))  # as its own housekeeping would within a minute


def _versions(session: Connection, book: Book, now: datetime) -> None:
    kept = [
        {"hash": one.version, "playbook": name, "text": one.text, "at": now - timedelta(days=2000)}
        for name, one in book.playbooks.items()
    ]
    session.execute(t.version.insert(), kept)


def _readings(session: Connection, book: Book, now: datetime, days: int) -> None:
    """A number a day of each metric, up to yesterday."""
    today = now.astimezone(book.company.zone).date()
    made = [
        {"metric": metric, "channel": "", "account": "", "day": (today - timedelta(days=back)).isoformat(),
         "revision": 1, "value": Decimal(3), "status": "ok", "finality": "final", "source": "store", "at": now}
        for metric in book.metrics.metrics
        for back in range(days, 0, -1)
    ]  # fmt: skip
    session.execute(t.reading.insert(), made)


def _insert(
    session: Connection, table: str, values: Mapping[str, str], upto: str, where: str, given: Mapping[str, object]
) -> None:
    """One row of `values` for each n up to `upto` for which `where` holds."""
    names = ", ".join(f'"{name}"' for name in values)
    of = "SELECT n, {count} - n AS age, {newest} - ({count} - n) * {every} AS at FROM s"
    counting = f"s(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM s WHERE n < {upto})"
    said = f'INSERT INTO "{table}" ({names}) WITH RECURSIVE {counting} '
    said += f"SELECT {', '.join(values.values())} FROM ({of}) AS numbered WHERE {where}"
    for name, value in given.items():
        said = said.replace(f"{{{name}}}", str(value))
    session.exec_driver_sql(said.replace("%", "%%") if session.dialect.paramstyle.endswith("format") else said)


def _rows(book: Book) -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """Table, its columns as SQL, how many, and for which."""
    yield from _people()
    yield from _cases(book)
    yield from _journal()
    yield from _calls()
    yield from _work()
    yield from _ledgers()


def _people() -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    party = {"party_id": "'p' || n", "party_kind": "'person'"}
    name = "substr('{family}', CAST(n % 20 AS int) + 1, 1) || substr('{given}', CAST(n % 9 AS int) * 2 + 1, 2) || n"
    yield "party", {"id": "'p' || n", "kind": "'person'", "made_at": "{newest} - n"}, "{customers}", "1 = 1"
    yield "private_contact", {**party, "kind": "'phone'", "value": _PHONE, "sought": _BACKWARDS}, "{customers}", "1 = 1"
    yield "private_contact", {**party, "kind": "'name'", "value": name, "sought": name}, "{customers}", "1 = 1"
    email = {**party, "kind": "'email'", "value": "'guest' || n || '@example.com'",
             "sought": "'guest' || n || '@example.com'"}  # fmt: skip
    yield "private_contact", email, "{customers}", "n % 3 = 0"
    consent = {"party_id": "'p' || n", "purpose": "'ad'", "medium": "'sms'", "given": "n % 2 = 0", "at": "{newest} - n",
               "wording": "'소식을 문자로 받겠습니다'"}  # fmt: skip
    yield "consent", consent, "{customers}", "1 = 1"


def _cases(book: Book) -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    state = "CASE WHEN age < {live} AND n % 400 = 7 THEN 'quarantined' ELSE 'decided' END"
    event = {"id": "n", "connection": "'trial-form'", "key": "'filled-' || n", "name": "'form.submitted'", "at": "at",
             "state": state, "reason": "CASE WHEN n % 400 = 7 THEN 'no phone number' END"}  # fmt: skip
    yield "event", event, "{count}", "1 = 1"
    body = _text({"name": "김하나", "phone": "010-2345-6789", "branch": "합정점"})
    kept = {"event_id": "n", "party_id": "'p' || (1 + n % {customers})", "body": f"CAST({body} AS {{blob}})",
            "headers": "'{}'"}  # fmt: skip
    yield "private_event", kept, "{count}", "1 = 1"
    version = " ".join(f"WHEN '{name}' THEN '{one.version}'" for name, one in book.playbooks.items())
    case = {
        "id": _case(), "playbook": _PLAYBOOK, "version": f"CASE {_PLAYBOOK} {version} END",
        "party_id": "'p' || (1 + n % {customers})", "event_id": "n", "opened_at": "at",
        "status": f"CASE WHEN {_STUCK} THEN 'parked' WHEN {_LIVES} THEN 'assigned' ELSE 'ended' END",
        "step": f"CASE WHEN {_LIVES} THEN 1 ELSE 8 END", "began_at": "at", "leg": "3",
        "held": f"CASE WHEN {_LIVES} AND n % 40 = 2 THEN 'the customer is abroad' END",
        "failed": _STUCK, "outcome": f"CASE WHEN {_MOVED} THEN CASE WHEN n % 7 = 0 THEN 'lost' ELSE 'done' END END",
        "ended_at": f"CASE WHEN {_MOVED} THEN at + 7200000000 END",
    }  # fmt: skip
    yield "case", case, "{count}", "1 = 1"
    private = {"case_id": _case(), "party_id": "'p' || (1 + n % {customers})", "data": _text(_SAID)}
    yield "private_case", private, "{count}", "1 = 1"


def _journal() -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """Ten lines a case, or three while it is open."""
    line = {"case_id": _case(), "playbook": _PLAYBOOK, "version": "''", "leg": "1", "attempt": "1"}
    done = (("confirm", "done", "machine"), ("list", "done", "machine"), ("day_before", "waiting", None),
            ("reminder", "done", "machine"), ("attend", "done", "ji"), (None, "ended", None))  # fmt: skip
    lines = [(None, "opened", None, "1 = 1"),
             ("log", "done", "machine", "1 = 1"), ("assign", "assigned", None, "1 = 1"),
             ("confirm", "failed", "machine", _STUCK), ("assign", "done", "yoon", _MOVED),
             *((*one, _MOVED) for one in done)]  # fmt: skip
    for later, (step, state, by, where) in enumerate(lines):
        own = {"step": _step(step), "state": _text(state), "by": _text(by), "at": f"at + {later} * 60000000"}
        yield "journal", {**line, **own}, "{count}", where


def _calls() -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """The messages and rows of a case, and the notices to its people."""
    shared = {"party_id": "'p' || (1 + n % {customers})", "effect_class": "'repeat'", "attempt": "1",
              "made_at": "at", "started_at": "at"}  # fmt: skip
    calls = (
        ("confirm", "outbox", "send", "trial_confirm", _CONFIRMED, f"{_MOVED} OR {_STUCK}"),
        ("list", "roster", "upsert_row", None, {"row_id": "합정점", "row": {"이름": "김하나"}}, _MOVED),
        ("reminder", "outbox", "send", "trial_reminder", _CONFIRMED, f"{_MOVED} AND {_TRIAL}"),
        (None, "outbox", "send", None, _NOTICE, "1 = 1"),
    )
    unknown = "age < {live} AND n % 100 = 53"
    for number, (step, connection, action, message, sent, where) in enumerate(calls):
        id = f"4 * n + {number}"
        state = f"CASE WHEN {_STUCK} THEN 'failed' WHEN {unknown} THEN 'in_doubt' ELSE 'done' END"
        own = {"id": id, "key": f"{_case()} || '/{step or 'open'}'", "step": _step(step),
               "connection": _text(connection),
               "action": _text(action), "message": _text(message), "state": state if step == "confirm" else "'done'",
               "case_id": _case() if step else "NULL", "assignment_id": "NULL" if step else f"'a' || {_case()}",
               "reason": f"CASE WHEN {_STUCK} THEN 'the service is down' END" if step else "NULL",
               "ended_at": "at + 1000000"}  # fmt: skip
        yield "effect", {**shared, **own}, "{count}", where
        yield "private_effect", {"effect_id": id, "arguments": _text(sent), "result": "'{}'"}, "{count}", where


def _work() -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """One assignment a case; open ones have all been told."""
    done = f"NOT ({_LIVES})"
    row = {
        "id": f"'a' || {_case()}", "kind": "'step'", "case_id": _case(), "playbook": _PLAYBOOK, "step": _step("assign"),
        "role": "'manager'", "person": "CASE WHEN n % 4 < 2 THEN 'yoon' ELSE 'ji' END", "opened_at": "at",
        "state": f"CASE WHEN {done} THEN 'done' ELSE 'open' END", "due_at": "at + 14400000000", "told_at": "at",
        "done_by": f"CASE WHEN {done} THEN 'yoon' END", "done_at": f"CASE WHEN {done} THEN at + 300000000 END",
        "late": f"CASE WHEN {done} THEN n % 9 = 0 END", "minutes": f"CASE WHEN {done} THEN 5 END",
    }  # fmt: skip
    yield "assignment", row, "{count}", "1 = 1"
    answers = {"assignment_id": f"'a' || {_case()}", "answers": "'{}'"}
    yield "private_assignment", answers, "{count}", "1 = 1"
    act = {"at": "at", "who": "'yoon'", "what": "'done'", "subject": f"'a' || {_case()}", "before": "'open'",
           "after": "'done'"}  # fmt: skip
    yield "audit", act, "{count}", done


def _ledgers() -> Iterator[tuple[str, Mapping[str, str], str, str]]:
    """What customers did, and Prefect's runs."""
    day = "substr('2024-01-2024-02-2024-03-2024-04-', CAST(n % 4 AS int) * 8 + 1, 8) || (10 + n % 18)"
    shared = {"party_id": "'p' || (1 + n % {customers})", "at": "at", "day": day, "direction": "'in'",
              "case_id": _case(), "recorded_by": "'machine'"}  # fmt: skip
    applied = {"id": "'x' || n", "kind": "'apply'", "channel": "'naver_place'"}
    bought = {"id": "'b' || n", "kind": "'purchase_new'", "amount": "'120000'", "currency": "'KRW'"}
    yield "exchange", {**shared, **applied}, "{count}", "1 = 1"
    yield "exchange", {**shared, **bought}, "{count}", "n % 4 = 0"
    ran = {"id": "'r' || n", "playbook": _PLAYBOOK, "version": "''", "state": "'ended'", "opened_at": "at"}
    yield "run", ran, "{count}", "n % 10 = 0"
    yield "run_case", {"run_id": "'r' || n", "case_id": _case(), "leg": "1"}, "{count}", "n % 10 = 0"


def _case() -> str:
    """Its id: spread over the index, as random ones are."""
    return "(CAST((n * 2654435761) % 1099511627776 AS text) || 'c')"


def _step(name: str | None) -> str:
    """A step of the case's own playbook."""
    if name is None:
        return "NULL"
    others = " ".join(
        f"WHEN n % 20 {less} THEN '{step}'" for less, step in zip(("< 17", "< 19", "= 19"), _STEPS[name], strict=True)
    )
    return f"CASE WHEN {_TRIAL} THEN '{name}' {others} END"


def _text(value: object) -> str:
    """Text as SQL; anything but text is said as JSON."""
    if value is None:
        return "NULL"
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "'" + said.replace("'", "''") + "'"


def _micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
