"""A slice of the histories that a night plays; and what makes them worth playing."""

import json
import random

import pytest

from flows.playbook.check import check
from tests.simulation import company
from tests.simulation.history import History, play
from tests.simulation.service import installed

SLICE = 35


@pytest.mark.parametrize("first", range(0, 4 * SLICE, SLICE))
def test_whatever_goes_wrong_every_case_goes_its_way_and_nothing_happens_twice(first):
    assert play(first, SLICE) == []


def test_a_history_is_told_again_by_its_seed():
    told = [[], []]
    with installed():
        for story in told:
            History(7, tell=story.append).play()
    assert told[0] == told[1]
    assert len(told[0]) > 10


def test_histories_meet_what_they_are_for():
    left = {"dies", "busy", "heard all the same", "lost after", "Rejected", " ask", "doubt ", "fallback ", "bulk/",
            "again", "at the desk", "new version", "in state", "connected again", "stop ", "hold "}  # fmt: skip
    with installed():
        for seed in range(1_000, 1_200):
            story = []
            History(seed, tell=story.append).play()
            left -= {one for one in left if any(one in line for line in story)}
            if not left:
                return
    assert left == set()


def test_the_playbooks_of_histories_are_ones_that_check(tmp_path):
    with installed():
        for seed in range(8):
            chance, folder = random.Random(seed), tmp_path / str(seed)
            folder.mkdir()
            links = company.company(chance).company.connections
            connections = {name: {"connector": one.connector, **one.settings} for name, one in links.items()}
            written = {"company": {**company.COMPANY, "connections": connections}, "canvas": company.CANVAS,
                       "messages": company.MESSAGES}  # fmt: skip
            plans = [company.plan(chance, name) for name in ("a", "b", "day")]
            for name, content in [*written.items(), *((plan.name, dict(plan.written)) for plan in plans)]:
                (folder / f"{name}.yaml").write_text(json.dumps(content, ensure_ascii=False))
            found = check(folder)
            assert found.problems == []
            versions = {name: playbook.version for name, playbook in found.book.playbooks.items()}
            assert versions == {plan.name: plan.playbook.version for plan in plans}
