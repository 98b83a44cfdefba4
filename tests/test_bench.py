"""What `make bench` says of its figures: a goal that is missed is never called reached."""

import json
import time

import pytest

from bench.figures import Figures, at, at_most
from bench.load import arrived, keys
from bench.watched import Watch


@pytest.mark.parametrize(
    ("measured", "digits", "said"),
    [(1.5, 1, "yes"), (1.54, 1, "yes"), (1.6, 1, "**no**"), (1.54, 2, "**no**"), (float("nan"), 1, "**no**")],
)
def test_a_goal_that_is_missed_or_not_measured_is_not_reached(measured, digits, said):
    assert at_most("a burst is drained", 1.5, measured, " s", digits).cells[-1] == said


@pytest.mark.parametrize(
    ("sink", "lost", "kept_up"),
    [
        ([5.0] * 100, 0, True),
        ([5.0] * 100, 1, False),  # what is lost is not kept up, however fast the rest
        ([5.0] * 80 + [2000.0] * 20, 0, False),  # a queue that grows
        ([2000.0] * 20 + [5.0] * 80, 0, True),  # a stumble that was made up for
        ([], 0, False),
    ],
)
def test_a_queue_that_grows_is_not_kept_up(sink, lost, kept_up):
    assert Figures(sink, sink, lost, 1.0).kept_up is kept_up


def test_quantiles_are_of_the_values_and_not_of_their_order():
    assert (at([3.0, 1.0, 2.0], 0.5), at([3.0, 1.0, 2.0], 0.99)) == (2.0, 3.0)


def test_an_event_that_came_twice_counts_from_its_first_arrival_and_shows_each_key(tmp_path):
    sink = tmp_path / "sink"
    sink.write_text("7 1.5 a/1\n8 2.0 b/1\n7 3.5 a/2\n")
    assert arrived(sink) == {7: 1.5, 8: 2.0}
    assert keys(sink) == {7: ["a/1", "a/2"], 8: ["b/1"]}


def test_a_part_is_counted_without_the_parts_that_it_calls_and_without_waiting():
    watch, spin = Watch(), sum

    def inner():
        spin(range(2_000_000))
        time.sleep(0.2)

    timed = watch._timed(inner, "inner")
    watch._timed(timed, "outer")()
    assert watch.spent["outer"] < watch.spent["inner"] / 5
    assert 0 < watch.spent["inner"] < time.process_time()
    assert sum(json.loads(watch.told())["spent"].values()) == pytest.approx(time.process_time() - watch._began, abs=0.1)
