"""What a vendor says in its own way is told in ours: what to do next, and none of its words."""

import json
from functools import partial

import pytest

from tests.faults.calls import Call, broken, made, services
from tests.faults.menu import Fault
from tests.faults.refusals import REFUSALS, Refusal
from tests.faults.server import Talk, whole

pytestmark = pytest.mark.usefixtures("hurry")


def _say(refusal: Refusal, talk: Talk) -> None:
    talk.send(whole(f"{refusal.status} Said", json.dumps(refusal.body).encode(), "application/json"))


@pytest.mark.parametrize("service", sorted({one.service for one in REFUSALS} & set(services())))
def test_a_refusal_of_a_vendor_is_told_as_what_to_do_next(service, tmp_path):
    wrong, last = [], {}
    for refusal in (one for one in REFUSALS if one.service == service):
        call = Call(service, refusal.action)
        if refusal.action not in last:
            last[refusal.action] = len(made(call, tmp_path).asked) - 1
        outcomes = frozenset({refusal.outcome})
        fault = Fault(str(refusal), partial(_say, refusal), outcomes, outcomes)
        for _ in range(2):  # on a machine that is busy a deadline passes by itself: once more
            came = made(call, tmp_path, fault.serve, last[refusal.action])
            found = list(broken(call, fault, came, outcomes))
            if not found:
                break
        wrong += found
    assert wrong == []
