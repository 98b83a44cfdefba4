"""What is made of the metrics when it is asked for: ratios of sums, cohorts, and how far a target has come."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from flows.ledger.derived import Dealing, dealings
from flows.ledger.series import Cell, Total, days, series, total
from flows.playbook.hours import at_clock
from flows.playbook.metrics import Metric, Ratio, Target
from flows.playbook.model import Book

NOTHING = "nothing to divide by: it is zero in this period"
NOBODY = "nobody began in this period"
NO_DAY = "no day has both numbers"
_EARLY = Decimal("0.2")  # of a month's business days: with fewer that have a number, its pace says nothing
_MATURE = 28  # days of a cohort that a target is compared with


@dataclass(frozen=True, slots=True)
class Pace:
    """A target and where it stands at the end of yesterday. No value: `reason`, and it is behind nothing."""

    value: Decimal | None
    wanted_by_now: Decimal  # by the days that have a number: of a month, their share of its business days
    wanted: Decimal
    share_of_business_days: Decimal  # that are over, from 0 to 1
    behind: bool  # a month's: said once a fifth of its business days has a number
    provisional: bool
    missing: int  # days without a number, which count on neither side
    first: date
    last: date
    reason: str | None = None


def ratio(
    session: Connection,
    book: Book,
    name: str,
    first: date,
    last: date,
    now: datetime,
    as_of: datetime | None = None,
) -> Total:
    """One sum by another over the days from first to last, both included; or the share of a cohort that followed.

    Days that lack one of the two numbers are left out of both and counted as missing.
    """
    written = book.metrics.ratios[name]
    if written.cohort is not None:
        return _cohort(session, book, written, first, last, as_of or now)
    cells = series(session, book, {written.of, written.by}, first, last, now, as_of)
    of, by = (book.metrics.metrics[one] for one in (written.of, written.by))
    return divided((of, cells[written.of]), (by, cells[written.by]), days(first, last))


def divided(of: tuple[Metric, dict[date, Cell]], by: tuple[Metric, dict[date, Cell]], asked: list[date]) -> Total:
    """A ratio of two metrics' cells over some days."""
    pairs = [(day, of[1].get(day, Cell()), by[1].get(day, Cell())) for day in asked]
    missing = sum("missing" in {one.status, other.status} for _, one, other in pairs)
    provisional = any(one.provisional or other.provisional for _, one, other in pairs)
    if of[0].sum == by[0].sum == "sum":
        asked = [day for day, one, other in pairs if one.known and other.known]
        if not asked:
            return Total(None, provisional, missing, NO_DAY)
    above, below = total(*of, asked), total(*by, asked)
    if above.value is None or below.value is None:
        return Total(None, provisional, missing, above.reason or below.reason)
    if not below.value:
        return Total(None, provisional, missing, NOTHING)
    return Total(above.value / below.value, provisional, missing)


def _cohort(session: Connection, book: Book, written: Ratio, first: date, last: date, now: datetime) -> Total:
    """Of the customers that began in these days, the share that went on within the cohort's length of it.

    From the exchanges alone: what was wholly given back is none. Provisional until the last day is so old.
    """
    wait = written.cohort.delta if written.cohort else timedelta()
    begun = _by_party(session, book, written.by, first, last, now)
    until = last + timedelta(days=wait.days + 2)
    went = _by_party(session, book, written.of, first, until, now)
    followed = sum(
        any(_follows(after, began, wait) for began in mine for after in went.get(party, ()))
        for party, mine in begun.items()
    )
    provisional = at_clock(last + timedelta(days=1), 0, book.company.zone) + wait > now
    if not begun:
        return Total(None, provisional, 0, NOBODY)
    return Total(Decimal(followed) / len(begun), provisional, 0)


def _follows(after: Dealing, began: Dealing, wait: timedelta) -> bool:
    return timedelta() <= after.at - began.at <= wait and after.row["id"] != began.row["id"]


def _by_party(
    session: Connection, book: Book, metric: str, first: date, last: date, now: datetime
) -> dict[str, list[Dealing]]:
    found = defaultdict[str, list[Dealing]](list)
    since, until = first.isoformat(), last.isoformat()
    for one in dealings(session, book, metric, first, last):
        if since <= one.row["day"] <= until and one.at <= now and not one.whole:
            found[one.party].append(one)
    return found


def pace(session: Connection, book: Book, target: Target, now: datetime) -> Pace:
    """Where a target stands: a month's by the share of its business days that are over, a day's and a ratio's as it is.

    The month is yesterday's, so the first of a month looks back at the whole one before.
    """
    yesterday = now.astimezone(book.company.zone).date() - timedelta(days=1)
    if target.metric in book.metrics.ratios:
        return _compared(session, book, target, yesterday, now)
    first = yesterday.replace(day=1) if target.per == "month" else yesterday
    cells = series(session, book, [target.metric], first, yesterday, now)[target.metric]
    metric = book.metrics.metrics[target.metric]
    reached = total(metric, cells, days(first, yesterday))
    if metric.sum != "sum":
        return _stands(target, reached, first, yesterday, Decimal(1), target.value)
    open_, counted, over = _business(book, cells, first, yesterday, target.per)
    by_now = target.value * counted / open_ if open_ else Decimal()
    if target.direction == "at_most" and target.per == "day":
        by_now = target.value  # a limit holds on a closed day too
    early = target.per == "month" and counted < open_ * _EARLY
    return _stands(target, reached, first, yesterday, Decimal(over) / open_ if open_ else Decimal(1), by_now, early)


def _business(book: Book, cells: dict[date, Cell], first: date, last: date, per: str) -> tuple[int, int, int]:
    """Business days of the whole period, of these those with a number, and those that are over."""
    whole = days(first, last if per == "day" else _end(first))
    open_ = [day for day in whole if book.company.calendar.is_business_day(day)]
    if not open_ and per == "month":  # closed for a month: all its days count alike
        open_ = whole
    over = [day for day in open_ if day <= last]
    return len(open_), sum(cells.get(day, Cell()).known for day in over), len(over)


def _compared(session: Connection, book: Book, target: Target, yesterday: date, now: datetime) -> Pace:
    """A ratio: of the month so far, the day, or a cohort's newest four weeks whose waiting is over."""
    wait = book.metrics.ratios[target.metric].cohort
    first = yesterday.replace(day=1) if target.per == "month" else yesterday
    if wait is not None:
        yesterday -= timedelta(days=-(-wait.delta // timedelta(days=1)))
        first = yesterday - timedelta(days=_MATURE - 1)
    reached = ratio(session, book, target.metric, first, yesterday, now)
    return _stands(target, reached, first, yesterday, Decimal(1), target.value)


def _stands(
    target: Target, reached: Total, first: date, last: date, share: Decimal, by_now: Decimal, early: bool = False
) -> Pace:
    if reached.value is None:
        behind = False
    elif target.direction == "at_least":
        behind = reached.value < by_now and not early
    else:  # what is over the whole limit is so on any day
        behind = reached.value > (target.value if early else by_now)
    return Pace(
        reached.value, by_now, target.value, share, behind, reached.provisional, reached.missing, first, last,
        reached.reason,
    )  # fmt: skip


def _end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
