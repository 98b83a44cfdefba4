"""metrics.yaml, typed: the numbers of each day, what is made of them, what they should reach, who is told."""

import re
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from flows.playbook.problem import Misplaced
from flows.playbook.time import Duration
from flows.playbook.written import Length, Name, Sentence, Written

_TARGET = re.compile(r"(>=|<=) ?(-?[\d,]+(?:\.\d+)?)(?: a (day|month))?")
_PERCENT = re.compile(r"(\d{1,4}(?:\.\d+)?) ?%")


def _targets(value: object) -> object:
    """`{trial_requests: ">= 60 a month"}` as a list of targets."""
    if not isinstance(value, Mapping):
        return value
    return [_target(metric, said) for metric, said in value.items()]


def _target(metric: str, said: object) -> dict[str, object]:
    found = _TARGET.fullmatch(str(said).strip())
    if not found:
        raise Misplaced((metric,), f"{said!r} is no target; write it as '>= 60 a month' or '<= 45000'")
    direction = "at_least" if found[1] == ">=" else "at_most"
    return {"metric": metric, "value": found[2].replace(",", ""), "direction": direction, "per": found[3] or "month"}


def _share(value: object) -> object:
    found = _PERCENT.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is no share; write it as 20%")
    return Decimal(found[1]) / 100


class Source(Written):
    """Where a metric's numbers come from: a connection's action, our own exchanges, minutes of people, or a person."""

    use: str | None = None  # connection.action
    of: str | None = None  # the service's own name of the metric; none: the metric's name
    where: dict[str, str] = {}  # the service's own dimensions, and the value that is asked for
    split: list[str] = []  # dimensions whose values are kept apart
    exchanges: str | None = None  # an exchange kind
    sale: Literal["new", "repeat"] | None = None
    count: Literal["exchanges", "customers", "amount", "net_amount", "quantity"] = "exchanges"
    claims: Literal["own_day", "sale_day", "ignored"] = "own_day"  # when a refund or claim is taken off
    minutes_of: str | None = None  # a role: minutes that its people noted at their assignments
    by: str | None = None  # a role
    due: time | None = None  # of the next day, company time


class Metric(Written):
    label: Sentence
    on: str  # stage or arrow, "circle" or "internal"
    channel: str | None = None
    unit: str = "count"
    sum: Literal["sum", "last", "none"] = "sum"
    source: Source
    absent_day: Literal["zero", "unknown"] = "unknown"
    settle_days: int = Field(0, ge=0, le=90)
    day_basis: Literal["company", "source"] = "company"


class Ratio(Written):
    label: str = ""
    of: str
    by: str
    cohort: Length | None = None  # none: same period


class Target(Written):
    metric: str
    value: Decimal
    direction: Literal["at_least", "at_most"] = "at_least"
    per: Literal["day", "month"] = "month"


Share = Annotated[
    Decimal, BeforeValidator(_share), WithJsonSchema({"type": "string", "pattern": rf"^\s*{_PERCENT.pattern}\s*$"})
]


class Alert(Written):
    """When somebody is told of a number: one assignment with the evidence, and then rest for `cool_down`."""

    missing_by: time | None = None  # of the next day, company time; none: its source's `due`
    zero_for: Length | None = None
    unusual: Decimal | None = Field(None, gt=0)  # so many times the usual distance from the median of its weekday
    behind: bool = False  # its target's pace
    restated: Share | None = None  # by more than this share
    cool_down: Length = Duration.parse("7d")
    to: str | None = None  # a role; none: who types it, else the owner


class Metrics(Written):
    metrics: dict[Name, Metric] = {}
    ratios: dict[Name, Ratio] = {}
    targets: Annotated[list[Target], BeforeValidator(_targets)] = []
    alerts: dict[Name, Alert] = {}
