"""Kept values come back as they were: what a case knows must not change by lying in the store."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from flows.store.data import dump, load
from flows.store.tables import At, Exact

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))])
SINGLE = (
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False) | st.dates() | st.times() | st.datetimes(timezones=ZONES)
)  # fmt: skip
NAMES = st.text() | st.sampled_from(["@date", "@datetime", "@@date", "@", "@time", "@decimal"])
VALUES = st.recursive(SINGLE, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=10)


@given(VALUES)
def test_what_is_dumped_is_loaded_the_same(value):
    again = load(dump(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize("vendor", [{"@date": "2026-01-01"}, {"@date": "no day"}, {"@decimal": 5}, {"@@time": "1"}])
def test_a_senders_own_words_are_never_read_as_ours(vendor):
    assert load(dump(vendor)) == vendor
    assert load(dump({"x": [vendor]})) == {"x": [vendor]}


def test_a_model_is_kept_by_its_fields_and_other_things_are_refused_by_kind():
    class Kept(BaseModel):
        day: date

    assert load(dump(Kept(day=date(2026, 1, 1)))) == {"day": date(2026, 1, 1)}
    with pytest.raises(TypeError, match=r"^object cannot be kept$"):
        dump(object())


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1), timezones=ZONES))  # noqa: DTZ001
def test_a_moment_keeps_its_microseconds(at):
    kept = At().process_bind_param(at, None)
    assert isinstance(kept, int)
    assert At().process_result_value(kept, None) == at


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.integers().map(Decimal))
def test_money_keeps_every_digit(amount):
    assert Exact().process_result_value(Exact().process_bind_param(amount, None), None) == amount
