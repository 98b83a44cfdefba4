"""Laws of the metrics ledger: whatever comes, in whatever order, held against a model of a few lines."""

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.ledger.readings import Value, correct, current, current_of, keep, key_of, release
from flows.ledger.series import days, series, total
from flows.store import tables as t
from flows.store.read import rows

FIRST, LAST = date(2026, 11, 20), date(2026, 11, 22)
METRICS = {"views": {"label": "조회", "on": "apply", "settle_days": 3, "source": {"use": "numbers.readings"}}}
EXAMPLES = max(60, int(os.environ.get("DIGILOG_SOAK", "0")))
law = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

on = st.dates(FIRST, LAST)
numbers = st.sampled_from(["0", "1", "1.0", "2", "-3.25", "-0", "99999999999999999.123456789"]).map(Decimal)
said = st.one_of(st.none(), st.just("n/a"), numbers)
pulls = st.lists(st.tuples(on, said), max_size=8)
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("pull"), on, said), st.tuples(st.just("correct"), on, numbers),
        st.tuples(st.just("release"), on, st.none()),
    ),
    max_size=14,
)  # fmt: skip


class _Undone(Exception):  # noqa: N818 - no error: the store is as it was before
    pass


@pytest.fixture
def ledger(shop):
    shop.files["metrics"] = {"metrics": METRICS}
    return Ledger(shop.open([shop.person("call")]))


def word(day, what, **more):
    number = None if what in {None, "n/a"} else what
    return Value("views", day, number, "numbers.readings", applies=what != "n/a", **more)


@dataclass
class Ledger:
    """The real store; what is done inside `afresh` is undone at its end."""

    shop: object
    session: object = None
    now: object = None

    @contextmanager
    def afresh(self):
        self.now = self.shop.clock.now()
        try:
            with self.shop.store.write() as self.session:
                yield self
                raise _Undone  # noqa: TRY301
        except _Undone:
            pass

    def tick(self):
        self.now += timedelta(seconds=1)

    def keeps(self, *values):
        self.tick()
        return keep(self.session, self.shop.world.book, values, self.now)

    def does(self, what, day, number):
        self.tick()
        book = self.shop.world.book
        if what == "pull":
            keep(self.session, book, [word(day, number)], self.now)
        elif what == "correct":
            correct(self.session, book, word(day, number, by="yoon"), self.now, "counted by hand")
        else:
            release(self.session, book, key_of(book, word(day, None)), "yoon", self.now, "as the source says")

    def all(self):
        return rows(self.session, t.reading.select().order_by(t.reading.c.id))

    def stands(self, as_of=None):
        """What counts, by day."""
        found = current(self.session, ["views"], FIRST, LAST, as_of)
        told = {key: current_of(history) for key, history in found.items()}
        return {date.fromisoformat(key.day): (row["status"], row["value"]) for key, row in told.items() if row}

    def cells(self, as_of=None):
        book = self.shop.world.book
        return series(self.session, book, ["views"], FIRST, LAST, self.now, as_of)["views"]


@dataclass
class Model:
    """The same in a few lines: the source's last word, and a person's that stands above it."""

    theirs: dict = field(default_factory=dict)
    pinned: dict = field(default_factory=dict)
    touched: set = field(default_factory=set)

    def does(self, what, day, number):
        if what == "pull":
            self.touched.add(day)
            if number is not None:
                self.theirs[day] = number
        elif what == "correct":
            self.touched.add(day)
            self.pinned[day] = number
        else:
            self.pinned.pop(day, None)

    def stands(self):
        return {day: self._told(self.pinned.get(day, self.theirs.get(day))) for day in self.touched}

    @staticmethod
    def _told(number):
        if number is None:
            return "missing", None
        if number == "n/a":
            return "not_applicable", None
        return ("ok", number) if number else ("zero", 0)


@law
@given(deeds)
def test_what_counts_is_a_persons_word_else_the_sources_last_and_missing_erases_nothing(ledger, done):
    model = Model()
    with ledger.afresh():
        for deed in done:
            ledger.does(*deed)
            model.does(*deed)
            assert ledger.stands() == model.stands()


@law
@given(deeds)
def test_what_was_known_then_is_the_same_whatever_comes_later(ledger, done):
    with ledger.afresh():
        seen = []
        for deed in done:
            ledger.does(*deed)
            seen.append((ledger.now, ledger.stands(), ledger.cells(ledger.now)))
        for at, stood, cells in seen:
            assert (ledger.stands(at), ledger.cells(at)) == (stood, cells)


@law
@given(deeds)
def test_revisions_have_no_gaps_and_no_row_is_ever_changed(ledger, done):
    with ledger.afresh():
        before = []
        for deed in done:
            ledger.does(*deed)
            after = ledger.all()
            assert after[: len(before)] == before
            before = after
        for history in current(ledger.session, ["views"], FIRST, LAST).values():
            assert [row["revision"] for row in history] == list(range(1, len(history) + 1))
            assert [row["at"] for row in history] == sorted(row["at"] for row in history)


@law
@given(deeds, pulls)
def test_a_pull_that_is_kept_twice_is_kept_once(ledger, before, pulled):
    with ledger.afresh():
        for deed in before:
            ledger.does(*deed)
        values = [word(day, what) for day, what in dict(pulled).items()]
        ledger.keeps(*values)
        once = ledger.all()
        again = ledger.keeps(*values)
        assert ledger.all() == once
        assert (again.new, again.restated, again.beside) == (0, 0, 0)


@law
@given(pulls.flatmap(lambda found: st.tuples(st.permutations(found), st.permutations(found))), pulls)
def test_pulls_in_any_order_that_end_in_the_same_truth_leave_the_same_numbers(ledger, orders, truth):
    ends = []
    final = {day: what for day, what in truth if what is not None}
    for order in orders:
        with ledger.afresh():
            for one in order:
                ledger.keeps(word(*one))
            ledger.keeps(*(word(day, what) for day, what in final.items()))
            ends.append({day: found for day, found in ledger.stands().items() if day in final})
    assert ends[0] == ends[1] == {day: Model._told(what) for day, what in final.items()}


@law
@given(deeds, on, numbers)
def test_after_a_release_the_source_counts_as_if_nobody_had_spoken(ledger, done, day, number):
    with ledger.afresh():
        for deed in [*done, ("correct", day, number), ("release", day, None)]:
            ledger.does(*deed)
        for one in days(FIRST, LAST):
            ledger.does("release", one, None)
        spoken = ledger.stands()
    with ledger.afresh():
        for deed in done:
            if deed[0] == "pull":
                ledger.does(*deed)
        silent = ledger.stands()
    assert {one: told for one, told in spoken.items() if told != ("missing", None)} == {
        one: told for one, told in silent.items() if told != ("missing", None)
    }


@law
@given(st.dictionaries(st.tuples(on, st.sampled_from("abc")), said, max_size=9))
def test_the_sum_of_the_parts_is_the_sum_of_the_series(ledger, parts):
    with ledger.afresh():
        ledger.keeps(*(word(day, what, dimensions={"ad": part}) for (day, part), what in parts.items()))
        cells = ledger.cells()
        whole = total(ledger.shop.world.book.metrics.metrics["views"], cells, days(FIRST, LAST))
    for day in days(FIRST, LAST):
        of_day = [what for (when, _), what in parts.items() if when == day]
        adds = [what for what in of_day if what not in {None, "n/a"}]
        if adds and None not in of_day:
            assert cells[day].value == sum(adds, Decimal())
        else:
            assert day not in cells or cells[day].value is None
    known = [cell.value for cell in cells.values() if cell.value is not None]
    assert whole.value == (sum(known, Decimal()) if known else None)
