"""What a pull brought, as counts and reasons."""

from dataclasses import dataclass, field
from datetime import date

from flows.ledger.pull.planning import Part


@dataclass(frozen=True, slots=True)
class Failed:
    """A part of which nothing was taken, or not all of it."""

    part: Part
    reason: str


@dataclass(slots=True)
class Summary:
    """What a pull brought: counts of numbers, and what is missing and why. `left`: parts that were not asked."""

    id: str
    kept: int = 0
    restated: int = 0
    beside: int = 0
    missing: int = 0
    failed: list[Failed] = field(default_factory=list)
    absent: dict[str, list[date]] = field(default_factory=dict)  # days that a source answered without a number
    typed: list[str] = field(default_factory=list)  # metrics that a person has not typed yet
    left: int = 0

    @property
    def state(self) -> str:
        return "partial" if self.failed or self.left else "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is: parts, and the numbers kept so far."""

    done: int
    parts: int
    kept: int
    failed: int
