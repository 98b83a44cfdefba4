"""What a company writes: playbooks, company, canvas and messages, typed (its metrics: `metrics`).

Everything arrives as text (see `load`); pydantic gives it its type here. What needs the other files
(names of roles, connections, actions, types of expressions) is asked in `check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from flows.playbook.expression import Expression
from flows.playbook.metrics import Metrics
from flows.playbook.problem import Misplaced
from flows.playbook.text import Format, Text, texts
from flows.playbook.time import Between, Calendar, Hours, Time
from flows.playbook.written import FileName, Length, Name, Sentence, Written

Outcome = Literal["won", "lost", "done"]
State = Literal["design", "trial", "complete", "operate", "expand"]
FieldType = Literal[
    "text", "phone", "email", "integer", "number", "money", "date", "time", "datetime", "yesno",
    "choice", "person", "consent",
]  # fmt: skip

# kinds of exchanges that every company has; its own stand in canvas.yaml
EXCHANGES = (
    "inquiry", "apply", "subscribe", "reserve", "cancel", "visit", "call", "attend", "purchase", "payment",
    "refund", "claim", "review", "reply", "refer", "join", "leave", "consent", "message",
)  # fmt: skip


def _quiet(value: object) -> object:
    """A length of time, elapsed or of opening hours."""
    found = Time.parse(value)  # type: ignore[arg-type]
    if found.path is not None or found.clock is not None:
        raise ValueError(f"{found.source!r} is no length of time; write 3d, 4 business hours or 1 business day")
    return found


Expr = Annotated[Expression, BeforeValidator(Expression.parse)]
Template = Annotated[Text, BeforeValidator(Text.parse)]
When = Annotated[Time, BeforeValidator(Time.parse)]
Quiet = Annotated[Time, BeforeValidator(_quiet)]
Window = Annotated[Between, BeforeValidator(Between.parse)]
OpenHours = Annotated[Hours, BeforeValidator(Hours.parse)]
Arguments = Annotated[dict[str, Any], BeforeValidator(texts)]


def _choices(value: object) -> object:
    if not isinstance(value, list):
        return value
    for place, word in enumerate(value):
        if not isinstance(word, str):
            raise Misplaced((place,), "a choice is a word or a sentence; with a name for it write {name: label}")
    return {word: word for word in value}


def _by(value: object) -> object:
    if isinstance(value, list):
        raise ValueError("a step is by one: machine, a role, a person, or {role: instructor, who: an answer}")  # noqa: TRY004 - pydantic wants ValueError
    return {"role": value} if isinstance(value, str) else value


def _case(value: object) -> object:
    return {"field": value} if isinstance(value, str) else value


Choices = Annotated[dict[str, str], BeforeValidator(_choices)]


class FormField(Written):
    """One typed field of a start or of a step's form."""

    type: FieldType
    label: str = ""
    source: str | None = Field(default=None, alias="from")
    required: bool = True
    default: str | None = None
    min: Decimal | None = None
    max: Decimal | None = None
    choices: Choices = {}  # id: label; a plain list becomes {label: label}
    sensitive: bool = False
    role: str | None = None  # of a person
    purpose: Literal["info", "ad", "sensitive"] | None = None  # of a consent
    medium: str | None = None  # of a consent


class Start(Written):
    """What opens a case: exactly one of `event`, `schedule`, `exchange`, `stage`, `step` and `hand`."""

    event: str | None = None
    connection: str | None = None
    where: Expr | None = None
    schedule: str | None = None
    missed: Literal["newest", "all", "none"] = "newest"
    each: Literal["party"] | None = None  # of a schedule: a case for each party for whom `where` holds
    exchange: Name | None = None  # a kind, or its family
    stage: Name | None = None  # a party reaches it
    step: str | None = None  # of another playbook, done: "trial-booking.attend"
    hand: Name | None = None  # a role whose people start it with a form


class Stop(Written):
    """What ends a case from outside: an exchange of one of these kinds, an expression, or a consent taken back."""

    exchange: list[Name] = []
    when: Expr | None = None
    consent: Literal["withdrawn"] | None = None
    purpose: Literal["info", "ad", "sensitive"] | None = None  # of the consent
    outcome: Outcome = "lost"
    serves: list[str] = []


class By(Written):
    """Who does a step: `machine`, a role, a person by name, or the person of a role that an answer names."""

    role: str  # "machine", or a role, or a person's name
    who: str | None = None  # dotted path of an answer, e.g. "assign.instructor"

    @property
    def machine(self) -> bool:
        return self.role == "machine"


class Escalate(Written):
    after: When  # past due
    to: str


class End(Written):
    when: Expr
    outcome: Outcome


class Fallback(Written):
    by: str | None = None  # default: the playbook's owner
    do: Sentence | None = None  # default: the step's own sentence
    due: When | None = None  # default: 1 business day
    form: dict[Name, FormField] = {}


class Or(Written):
    """What ends a wait before its time: an event of the case's own party."""

    event: str
    connection: str
    where: Expr | None = None  # `reply` is what the event brings


class Step(Written):
    id: Name
    do: Sentence
    by: Annotated[By, BeforeValidator(_by)] | None = None
    use: str | None = None  # connection.action
    arguments: Arguments = Field(default={}, alias="with")  # leaves are Text objects
    key: Template | None = None
    for_each: str | None = None  # dotted path of a list in the case; the action is done once for each `item`
    when: Expr | None = None
    check: Expr | None = None
    wait: When | None = None
    or_: Or | None = Field(default=None, alias="or")  # beside wait
    due: When | None = None
    remind: Length | None = None
    escalate: Escalate | None = None
    checklist: list[Sentence] = []
    form: dict[Name, FormField] = {}
    evidence: Literal["text", "photo", "link"] | None = None
    ends: list[End] = []
    fallback: Fallback | None = None
    between: Window | None = None
    valid_for: When | None = None
    serves: list[str] = []
    expect: str | None = None
    by_hand: Length | None = None


class Measure(Written):
    name: Sentence
    minutes: tuple[str, str] | None = None
    business_minutes: tuple[str, str] | None = None
    share: Outcome | None = None
    on_time: str | None = None
    target: str | None = None


class Revision(Written):
    revision: int
    on: date
    by: str
    why: str = ""
    change: str = ""


class OnFailure(Written):
    tell: str


class CaseKey(Written):
    """What one case is about: a field, the party that a start is about, or the period of a schedule."""

    field: str  # a field's name, "party" or "period"
    party: Literal["person", "company", "candidate", "employee"] = "person"


class Playbook(Written):
    playbook: FileName
    title: Sentence
    state: State
    machine_in_trial: Literal["shadow", "confirm"] = "shadow"  # what would leave: by hand, or on a press of a button
    system: Literal["customer", "production", "revenue", "organization"]
    stage: str
    owner: str
    purpose: Sentence
    scenario: dict[Name, Sentence] = {}
    start: Start
    fields: dict[Name, FormField] = {}
    case: Annotated[CaseKey, BeforeValidator(_case)] | None = None
    overlap: Literal["single", "parallel"] = "single"
    stop: list[Stop] = []
    steps: list[Step]
    measures: list[Measure] = []
    on_failure: OnFailure | None = None
    silent_after: Length | None = None
    revisions: list[Revision] = []

    # set by the loader: the file's text, and the hash of all that a running case is pinned to
    text: str = Field(default="", exclude=True)
    version: str = Field(default="", exclude=True)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Where each step stands, by its id."""
        return {step.id: number for number, step in enumerate(self.steps)}


class Role(Written):
    label: str
    people: list[Name]
    backup: str | None = None  # another role


class Person(Written):
    name: str
    email: str | None = None
    slack: str | None = Field(default=None, pattern=r"^[UW][A-Z0-9]{2,30}$")  # the member id


class Sender(Written):
    name: str
    phone: str = ""
    opt_out: str = ""
    email: str = ""


class ConnectionEntry(Written):
    """One connection of company.yaml: a connector's name and its settings (never secrets)."""

    connector: str
    silent_after: Quiet | None = None  # so long nothing may come in before somebody is told
    settings: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        """What stands beside `connector` and `silent_after` are its settings."""
        if not isinstance(value, Mapping) or "settings" in value:
            return value
        own = {key: value[key] for key in ("connector", "silent_after") if key in value}
        rest = {key: inner for key, inner in value.items() if key not in own}
        return {**own, "settings": rest} if "connector" in own else {}


class Company(Written):
    name: Sentence
    zone: ZoneInfo
    currency: str = "KRW"
    language: Literal["ko", "en"] = "ko"
    country: str = "KR"  # whose public holidays close the company
    hours: OpenHours
    holidays: list[date] = []  # besides the country's
    branches: dict[Name, str] = {}
    channels: dict[Name, str] = {}
    roles: dict[Name, Role]
    people: dict[Name, Person] = {}
    sender: Sender
    connections: dict[FileName, ConnectionEntry] = {}
    mediums: dict[Name, str] = {}  # medium: connection

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(self.zone, self.hours, self.country, frozenset(self.holidays))

    @cached_property
    def format(self) -> Format:
        """How this company says dates, money and phone numbers."""
        return Format(self.zone, self.language, self.currency, self.country)


class Place(Written):
    """A stage, pool or arrow of the canvas circle."""

    label: str
    design: str = ""
    as_is: str = ""
    gap: str = ""
    source: str | None = Field(default=None, alias="from")
    to: str | None = None


class KindRule(Written):
    label: str = ""
    stage: str | None = None  # the stage that an exchange of this kind leads to


class Canvas(Written):
    stages: dict[Name, Place]
    pools: dict[Name, Place] = {}
    arrows: dict[Name, Place] = {}
    kinds: dict[Name, KindRule] = {}


class MessageText(Written):
    medium: str
    purpose: Literal["info", "ad"] = "ad"  # what is not said to be information counts as an advert
    text: str  # with #{name} to be filled from `values`
    subject: str = ""
    provider_template: str | None = None
    fallback: str | None = None  # another medium


class Answered(Written):
    """In a playbook's test: what a person answered to an assignment, or why it was skipped, and when (company time)."""

    at: datetime
    by: Name | None = None
    answers: dict[str, Any] = {}
    skipped: Sentence | None = None


class TestEvent(Written):
    """In a playbook's test: a further start, an exchange, a consent taken back, or an event (company time)."""

    at: datetime
    start: dict[str, Any] | None = None
    exchange: str | None = None
    withdraws: Literal["info", "ad", "sensitive"] | None = None  # a consent given before, taken back
    party: Name | None = None  # whose exchange or consent: one of the test's `parties`; the first one if not said
    event: str | None = None
    connection: str | None = None
    body: dict[str, Any] = {}  # of an event: what comes in


class TestExchange(Written):
    """In a playbook's test: what a party did before (company time)."""

    kind: Name
    at: datetime
    until: date | None = None
    quantity: int | None = None


class TestParty(Written):
    """In a playbook's test: somebody who was known before."""

    name: str = ""
    phone: str | None = None
    email: str | None = None
    party: Literal["person", "company", "candidate", "employee"] = "person"
    exchanges: list[TestExchange] = []


class Due(Written):
    step: str
    due: datetime | None = None  # company time
    person: Name | None = None


class Expected(Written):
    """In a playbook's test: what must come out. What is not named is not asked."""

    outcome: Outcome | None = None
    sent: list[str] | None = None  # message ids in order
    blocked: list[str] | None = None
    exchanges: list[str] | None = None  # kinds in order, the party's
    assignments: list[Due] | None = None
    steps: dict[str, str] | None = None  # step: done, skipped, dropped, ...
    cases: int | None = None
    parties: list[str] | None = None  # whose cases were opened, in order
    readings: dict[str, str] | None = None  # metric: value or "missing"
    told: dict[str, str] | None = None  # step: words that stand in the notice it sent
    refused: str | None = None  # the field that the form refuses


class TestCase(Written):
    __test__ = False  # not pytest's

    name: Sentence
    clock: datetime  # company time, when the start arrives
    start: dict[str, Any] = {}
    parties: dict[Name, TestParty] = {}  # who is known before; a start about a party is about the first one
    people: dict[str, Answered] = {}
    events: list[TestEvent] = []
    connections: dict[str, Any] = {}  # "connection.action": pinned answer
    expect: Expected


class TestFile(Written):
    __test__ = False

    cases: list[TestCase]


@dataclass(frozen=True, slots=True)
class Book:
    """All that one company wrote, checked together."""

    folder: Path
    company: Company
    canvas: Canvas
    messages: Mapping[str, MessageText]
    metrics: Metrics
    playbooks: Mapping[str, Playbook]
    tests: Mapping[str, TestFile] = field(default_factory=dict)
    notices: tuple[str, ...] = ()  # what is written but not yet active
