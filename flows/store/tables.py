"""Every table. Customer text lives only in `private_*`; all others hold ids, kinds, numbers and times.

Times are microseconds since 1970 in UTC on disk and aware datetimes in Python; days and periods are
ISO dates in the company's zone.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class At(TypeDecorator[datetime]):
    """A moment: aware in Python, microseconds since 1970 in UTC on disk."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Exact(TypeDecorator[Decimal]):
    """A decimal kept to the last digit (SQLite would make it a float)."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


def _number() -> Column[int]:
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


metadata = MetaData()

# What a partial index covers: a statement that is to use it says the very same words.
_LIVE, _FAILED, _HELD = text("status <> 'ended'"), text("failed"), text("held IS NOT NULL")
_TO_DO = text("state IN ('open', 'claimed')")
_WRONG = text("state IN ('failed', 'dropped', 'in_doubt')")
_ASIDE = text("state IN ('quarantined', 'discarded', 'unconfirmed')")
_MESSAGE, _NOTICE = text("message IS NOT NULL"), text("message IS NULL AND action = 'send'")
# `coalesce` keeps the planner from walking all that failed by `effect_next`
_DONE, _BAD = text("state = 'done'"), text("state IN ('failed', 'in_doubt')")
_UNSENT = text("message IS NOT NULL AND coalesce(state, '') IN ('failed', 'cancelled', 'in_doubt', 'dropped')")
_KEPT_BACK = text("state IN ('blocked', 'dropped', 'handed')")

event = Table(
    "event",
    metadata,
    _number(),
    Column("connection", String, nullable=False),
    Column("key", String, nullable=False),
    Column("name", String, nullable=False),  # form.submitted, schedule.due, exchange.recorded, ...
    Column("at", At, nullable=False),
    Column("state", String, nullable=False),  # unconfirmed | new | decided | quarantined | discarded
    Column("reason", Text),  # why it lies in quarantine, or what was not done by it: our own sentence
    Column("subject", String),  # of our own events: the exchange or the period, never customer text
    Column("confirmed_at", At),  # when the service itself told us so
    UniqueConstraint("connection", "key"),
    Index("event_of", "connection", "id"),
    Index("event_new", "id", sqlite_where=Column("state") == "new", postgresql_where=Column("state") == "new"),
    Index(
        "event_unconfirmed",
        "connection",
        "id",
        sqlite_where=Column("state") == "unconfirmed",
        postgresql_where=Column("state") == "unconfirmed",
    ),
    Index("event_aside", "state", "id", sqlite_where=_ASIDE, postgresql_where=_ASIDE),
)
private_event = Table(
    "private_event",
    metadata,
    Column("event_id", ForeignKey("event.id"), primary_key=True),
    Column("party_id", String),
    Column("body", LargeBinary, nullable=False),
    Column("headers", Text, nullable=False),  # the chosen ones, as JSON
    Column("retain_until", At),
)
version = Table(
    "version",
    metadata,
    Column("hash", String, primary_key=True),
    Column("playbook", String, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", At, nullable=False),
)
case = Table(
    "case",
    metadata,
    Column("id", String, primary_key=True),
    Column("playbook", String, nullable=False),
    Column("version", ForeignKey("version.hash"), nullable=False),
    Column("party_id", String, index=True),
    Column("period", String),
    Column("event_id", ForeignKey("event.id"), index=True),
    Column("opened_at", At, nullable=False),
    Column("status", String, nullable=False),  # ready | waiting | assigned | calling | parked | in_doubt | ended
    Column("step", Integer, nullable=False),  # the index of the step it stands at
    Column("began_at", At),  # when it came to that step; none: not entered yet
    Column("leg", Integer, nullable=False),  # counts the times it became ready after a stand-still
    Column("wake_at", At),
    Column("held", Text),  # why it is held; none: not held
    Column("failed", Boolean, nullable=False),  # an error that nobody has taken
    Column("outcome", String),
    Column("reason", Text),
    Column("ended_at", At),
    Index("case_wake", "wake_at"),
    Index("case_ended", "ended_at", "id"),
    Index("case_open", "playbook", "party_id", "status"),
    Index("case_newest", "playbook", "opened_at"),
    Index("case_opened", "opened_at", "id"),
    Index("case_live", "opened_at", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("case_live_of", "playbook", "opened_at", "id", sqlite_where=_LIVE, postgresql_where=_LIVE),
    Index("case_failed", "opened_at", "id", sqlite_where=_FAILED, postgresql_where=_FAILED),
    Index("case_held", "opened_at", "id", sqlite_where=_HELD, postgresql_where=_HELD),
    Index(
        "case_period",
        "period",
        "playbook",
        sqlite_where=Column("period").is_not(None),
        postgresql_where=Column("period").is_not(None),
    ),
)
private_case = Table(
    "private_case",
    metadata,
    Column("case_id", ForeignKey("case.id"), primary_key=True),
    Column("party_id", String),
    Column("data", Text, nullable=False),  # fields and results of steps, as JSON (see `flows.store.data`)
    Column("retain_until", At),
)
journal = Table(
    "journal",
    metadata,
    _number(),
    Column("case_id", ForeignKey("case.id"), nullable=False, index=True),
    Column("playbook", String, nullable=False),
    Column("version", String, nullable=False),
    Column("leg", Integer, nullable=False),
    Column("step", String),  # none: of the case as a whole
    Column("attempt", Integer, nullable=False),
    Column("state", String, nullable=False),  # see `flows.store.journal`
    Column("by", String),
    Column("started_at", At),
    Column("at", At, nullable=False),
    Column("reason", Text),  # our own sentence, never a vendor's or a customer's text
    Index("journal_at", "at"),
    Index("journal_wrong", "playbook", "id", sqlite_where=_WRONG, postgresql_where=_WRONG),
    Index("journal_kept_back", "at", "id", sqlite_where=_KEPT_BACK, postgresql_where=_KEPT_BACK),
)
effect = Table(
    "effect",
    metadata,
    _number(),
    Column("key", String, nullable=False, unique=True),  # <case>/<step>[/<medium>], or a notice's
    Column("case_id", ForeignKey("case.id"), index=True),
    Column("assignment_id", String),
    Column("party_id", String),
    Column("step", String),
    Column("connection", String, nullable=False),
    Column("action", String, nullable=False),
    Column("effect_class", String, nullable=False),  # as its action declares; `bulk`: the one call of many effects
    Column("state", String, nullable=False),  # due | sending | done | failed | in_doubt | cancelled
    Column("message", String),  # the id of the message it carries
    Column("attempt", Integer, nullable=False),
    Column("made_at", At, nullable=False),
    Column("next_at", At),
    Column("valid_until", At),  # later than that it is dropped and reported
    Column("started_at", At),
    Column("claimer", String),  # the engine that is calling, or was the last to call
    Column("unclear_since", At),  # its first sending that may have happened; none: all are known
    Column("bulk_id", ForeignKey("effect.id")),  # the bulk call that it last went with
    Column("ended_at", At),
    Column("reason", Text),
    Index("effect_next", "state", "next_at"),
    Index("effect_order", "party_id", "connection", "state"),
    Index(
        "effect_bulk",
        "bulk_id",
        sqlite_where=Column("bulk_id").is_not(None),
        postgresql_where=Column("bulk_id").is_not(None),
    ),
    Index("effect_message", "id", sqlite_where=_MESSAGE, postgresql_where=_MESSAGE),
    Index("effect_notice", "id", sqlite_where=_NOTICE, postgresql_where=_NOTICE),
    Index("effect_done", "connection", "id", sqlite_where=_DONE, postgresql_where=_DONE),
    Index("effect_bad", "connection", "id", sqlite_where=_BAD, postgresql_where=_BAD),
    Index("effect_unsent", "made_at", "id", sqlite_where=_UNSENT, postgresql_where=_UNSENT),
)
private_effect = Table(
    "private_effect",
    metadata,
    Column("effect_id", ForeignKey("effect.id"), primary_key=True),
    Column("party_id", String),
    Column("arguments", Text, nullable=False),
    Column("result", Text),
    Column("retain_until", At),
)
assignment = Table(
    "assignment",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # step | fallback | doubt | reconnect | confirm | alert
    Column("case_id", ForeignKey("case.id"), index=True),
    Column("connection", String),  # of a reconnect
    Column("playbook", String),
    Column("step", String),
    Column("role", String, nullable=False),
    Column("person", String),
    Column("state", String, nullable=False),  # open | claimed | done | skipped | withdrawn
    Column("opened_at", At, nullable=False),
    Column("due_at", At),
    Column("remind_at", At),
    Column("escalate_at", At),
    Column("escalate_to", String),
    Column("next_at", At),  # when the engine looks at it again
    Column("told_at", At),
    Column("reminded_at", At),
    Column("escalated_at", At),
    Column("done_by", String),
    Column("done_at", At),
    Column("late", Boolean),
    Column("minutes", Integer),
    Column("reason", Text),  # why skipped or withdrawn; what is in doubt
    Column("as_written", Boolean),  # did it go as the playbook says? none: not asked, or not answered
    Index("assignment_next", "state", "next_at"),
    Index("assignment_due", "due_at", "id", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
    Index("assignment_person", "person", "due_at", "id", sqlite_where=_TO_DO, postgresql_where=_TO_DO),
)
private_assignment = Table(
    "private_assignment",
    metadata,
    Column("assignment_id", ForeignKey("assignment.id"), primary_key=True),
    Column("party_id", String),
    Column("answers", Text, nullable=False),
    Column("note", Text),
    Column("retain_until", At),
)
party = Table(
    "party",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),  # person | company | candidate | employee
    Column("made_at", At, nullable=False),
)
private_contact = Table(
    "private_contact",
    metadata,
    _number(),
    Column("party_id", ForeignKey("party.id"), nullable=False, index=True),
    Column("party_kind", String, nullable=False),
    Column("kind", String, nullable=False),  # phone | email | name
    Column("value", String, nullable=False),
    Column("retain_until", At),
    Column("sought", String),  # how people type it to find it (see `flows.playbook.contact.sought`)
    Index("contact_value", "party_kind", "kind", "value"),
    Index("contact_sought", "kind", "sought"),
)
exchange = Table(
    "exchange",
    metadata,
    Column("id", String, primary_key=True),
    Column("party_id", ForeignKey("party.id"), nullable=False, index=True),
    Column("at", At, nullable=False),
    Column("day", String, nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("direction", String, nullable=False),  # in | out
    Column("channel", String),
    Column("shop", String),
    Column("sale", String),  # new | repeat
    Column("amount", Exact),
    Column("net_amount", Exact),
    Column("currency", String),
    Column("quantity", Integer),
    Column("until", String),  # ISO date
    Column("system", String),
    Column("reference", String),
    Column("event_id", ForeignKey("event.id"), index=True),
    Column("case_id", ForeignKey("case.id"), index=True),
    Column("recorded_by", String, nullable=False),
    Column("voids", String),
    UniqueConstraint("system", "reference"),
    Index("exchange_at", "at", "id"),
)
private_exchange = Table(
    "private_exchange",
    metadata,
    Column("exchange_id", ForeignKey("exchange.id"), primary_key=True),
    Column("party_id", String),
    Column("note", Text, nullable=False),
    Column("retain_until", At),
)
consent = Table(
    "consent",
    metadata,
    _number(),
    Column("party_id", ForeignKey("party.id"), nullable=False, index=True),
    Column("purpose", String, nullable=False),
    Column("medium", String),
    Column("given", Boolean, nullable=False),
    Column("at", At, nullable=False),
    Column("wording", Text, nullable=False),  # the company's sentence, as it was shown
    Column("event_id", ForeignKey("event.id"), index=True),
)
reading = Table(
    "reading",
    metadata,
    _number(),
    Column("metric", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("account", String, nullable=False),
    Column("dimensions", String, nullable=False, server_default=""),  # JSON with sorted names; "": the whole
    Column("day", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("value", Exact),
    Column("status", String, nullable=False),  # ok | zero | missing | not_applicable
    Column("finality", String, nullable=False),  # provisional | final, as of when it was kept
    # pulled | pinned (a person's word, above later pulls) | beside (a pull that differs from it) | released
    Column("standing", String, nullable=False, server_default="pulled"),
    Column("source", String, nullable=False),
    Column("pull", String),
    Column("raw", String),  # hash of the answer it was read from
    Column("at", At, nullable=False),
    Column("by", String),
    Column("why", Text),  # of a person's correction
    UniqueConstraint("metric", "day", "channel", "account", "dimensions", "revision", name="reading_revision"),
)
_ANSWERED, _UNANSWERED = text("state = 'done'"), text("state = 'failed'")
pull = Table(
    "pull",
    metadata,
    Column("id", String, primary_key=True),
    Column("key", String, unique=True),  # of the effect that asked for it; a repeated one goes on with its pull
    Column("state", String, nullable=False, index=True),  # running | done | partial | failed
    Column("claimer", String),  # who is pulling
    Column("since", String, nullable=False),  # days, both included
    Column("until", String, nullable=False),
    Column("kind", String, nullable=False),  # daily | holes | all
    Column("by", String),
    Column("begun_at", At, nullable=False, index=True),
    Column("ended_at", At),
    Column("kept", Integer, nullable=False, server_default="0"),  # new readings
    Column("restated", Integer, nullable=False, server_default="0"),
    Column("missing", Integer, nullable=False, server_default="0"),
)
pull_part = Table(
    "pull_part",
    metadata,
    _number(),
    Column("pull_id", ForeignKey("pull.id"), nullable=False, index=True),
    Column("source", String, nullable=False),  # connection.action
    Column("connection", String),  # none: counted from what is ours
    Column("asked", Text, nullable=False),  # JSON: metrics by the service's names, where, split
    Column("since", String, nullable=False),
    Column("until", String, nullable=False),
    Column("state", String, nullable=False),  # open | done | failed
    Column("pages", Integer, nullable=False, server_default="0"),
    Column("reason", Text),
    Column("ended_at", At),
    Index("pull_part_good", "connection", "id", sqlite_where=_ANSWERED, postgresql_where=_ANSWERED),
    Index("pull_part_bad", "connection", "id", sqlite_where=_UNANSWERED, postgresql_where=_UNANSWERED),
)
private_answer = Table(
    "private_answer",
    metadata,
    _number(),
    Column("part_id", ForeignKey("pull_part.id"), nullable=False, index=True),
    Column("party_id", ForeignKey("party.id")),  # nobody's: numbers of all
    Column("page", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("body", LargeBinary, nullable=False),  # compressed
    Column("at", At, nullable=False),
    Column("retain_until", At, nullable=False, index=True),
)
alert = Table(
    "alert",
    metadata,
    Column("key", String, primary_key=True),  # what is told of/kind
    Column("since", At, nullable=False),
    Column("told_at", At),
    Column("over_at", At),
    Column("evidence", Text, nullable=False),  # JSON: numbers and days
    Column("assignment_id", String),
)
connection = Table(
    "connection",
    metadata,
    Column("name", String, primary_key=True),
    Column("paused", Text),  # why; none: at work
    Column("at", At, nullable=False),
    Column("calls", Text),  # where several engines share its rate: times of the newest calls, as JSON
    Column("rest_since", At),  # where they share its wish to be left alone
    Column("rest_until", At),
)
asking = Table(
    "asking",
    metadata,
    Column("connection", String, primary_key=True),
    Column("what", String, primary_key=True),  # poll | reconcile | confirm
    Column("cursor", Text),  # up to where a poll has read, in the connector's own words; since when a reconcile asks
    Column("next_at", At),  # when it is asked again; none: now
    Column("claimer", String),  # the engine that is asking
    Column("attempt", Integer, nullable=False),  # failures in a row
    Column("refused", Boolean, nullable=False),  # the newest answer was that a credential is missing or wrong
    Column("done_at", At),  # the newest good answer
    Column("failed_at", At),  # the newest bad one
    Column("reason", Text),  # why the newest one failed, our own sentence; none: it did not
)
token = Table(
    "token",
    metadata,
    Column("connection", String, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # encrypted with DIGILOG_SECRET_KEY
    Column("at", At, nullable=False),
)
run = Table(
    "run",
    metadata,
    Column("id", String, primary_key=True),
    Column("playbook", String, nullable=False),
    Column("version", String, nullable=False),
    Column("flow_run", String, unique=True),  # Prefect's id
    Column("state", String, nullable=False),  # open | ended
    Column("opened_at", At, nullable=False),
    Column("ended_at", At),
    Index("run_state", "state", "playbook"),
)
run_case = Table(
    "run_case",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("case_id", ForeignKey("case.id"), primary_key=True),
    Column("leg", Integer, primary_key=True),
    Index("run_case_case", "case_id", "leg"),
)
expected = Table(
    "expected",
    metadata,
    Column("subject", String, primary_key=True),  # engine | <playbook>/cases or /period | <connection>/events
    Column("since", At, nullable=False),  # when it was first expected
    Column("by", At, nullable=False),
    Column("told_at", At),  # none: not overdue, or not told yet
    Column("daily_at", At),  # when it was told last
    Column("over_at", At),  # when it was last said to be over
)
setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Text, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    _number(),
    Column("at", At, nullable=False),
    Column("who", String, nullable=False),
    Column("what", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("reason", Text),
    Column("before", String),  # the state it was in, and the one it is in now; never customer text
    Column("after", String),
    Index("audit_subject", "subject", "id"),
)
board_user = Table(
    "board_user",
    metadata,
    Column("name", String, primary_key=True),  # a person's id of company.yaml, where it is one
    Column("role", String, nullable=False),  # view | act | admin
    Column("password", String, nullable=False),  # argon2
    Column("disabled", Boolean, nullable=False),
    Column("made_at", At, nullable=False),  # times of logins are of the real clock, also where another is played
    Column("changed_at", At, nullable=False),
)
board_session = Table(
    "board_session",
    metadata,
    Column("id", String, primary_key=True),  # a hash: who reads the store cannot log in with it
    Column("name", ForeignKey("board_user.name"), nullable=False, index=True),
    Column("made_at", At, nullable=False),
    Column("seen_at", At, nullable=False),
)
