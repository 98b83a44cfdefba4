"""A slice of simulated years in three zones, around the days of 23 and 25 hours; whole with DIGILOG_SOAK."""

import os
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.simulation.service import installed
from tests.simulation.world import Wrong
from tests.simulation.year import Plan, Year
from tests.simulation.year_source import Truth

SOAK = bool(os.environ.get("DIGILOG_SOAK"))  # at length
SLICE, WHOLE = 20, 400  # days
SEOUL, NEW_YORK, LORD_HOWE = "Asia/Seoul", "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("seed", "zone", "abroad", "first", "at"),
    [
        (8, SEOUL, NEW_YORK, date(2027, 3, 10), "06:30"),
        (7, NEW_YORK, LORD_HOWE, date(2027, 3, 6), "02:30"),  # an hour that the 14th does not have
        (6, LORD_HOWE, SEOUL, date(2027, 3, 25), "01:45"),  # a half hour that the 4th of April has twice
    ],
)
def test_after_a_year_in_which_everything_goes_wrong_the_ledger_says_what_the_source_says(
    tmp_path, seed, zone, abroad, first, at
):
    year = Year(Plan(seed, zone, abroad, first, WHOLE if SOAK else SLICE, at), tmp_path)
    with installed():
        year.play()
    print(f"{zone}: {dict(sorted(year.tally.items()))}")
    assert year.tally["days compared"] > 0
    assert year.tally["restated"] > 0


def test_a_source_changes_its_mind_only_until_a_day_is_settled():
    truth = Truth("x", ZoneInfo(NEW_YORK), 3)
    for number in range(300):
        day = date(2027, 1, 1) + timedelta(days=number)
        story = truth.story("clicks", day)
        assert story == sorted(story, key=lambda one: one.since)
        assert all(truth._midnight(day + timedelta(days=1)) <= one.since for one in story)
        assert all(one.since <= truth._midnight(day + timedelta(days=3)) for one in story)
        assert truth.said("clicks", day, truth._midnight(day + timedelta(days=3))) == truth.last("clicks", day)


def test_a_ledger_that_lies_is_found_out(tmp_path):
    """The judge judges: one number changed behind its back, and a year is wrong."""

    class Forged(Year):
        def _judge(self) -> None:
            with self.store.write() as session:
                session.execute(
                    text("UPDATE reading SET value = '77.77' WHERE metric = 'clicks' AND day = '2027-03-03'")
                )
            super()._judge()

    with installed(), pytest.raises(Wrong, match=r"clicks of 2027-03-03 is 77\.77"):
        Forged(Plan(1, SEOUL, NEW_YORK, date(2027, 3, 3), 12), tmp_path).play()
