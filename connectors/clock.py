"""The time, passed in: real, shifted for a demo, or set by a test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Whatever tells the time, aware and in UTC."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class OffsetClock:
    """The machine's clock moved by `offset`."""

    offset: timedelta

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset


class VirtualClock:
    """A clock that stands still until it is set; it never goes back."""

    def __init__(self, now: datetime) -> None:
        self._now = _utc(now)

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        """Move to `at` (aware, any zone). Raises ValueError when that lies in the past."""
        later = _utc(at)
        if later < self._now:
            raise ValueError(f"the clock stands at {self._now.isoformat()} and cannot go back to {later.isoformat()}")
        self._now = later


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time needs its zone: give an aware datetime")
    return at.astimezone(UTC)
