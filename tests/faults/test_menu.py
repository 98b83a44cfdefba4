"""Whatever a service does wrong, each call of each connector is told in time what to do next, and learns no secret."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connectors.errors import NotConnected, Rejected, Unavailable
from tests.faults.allowed import LOGIN, allowed, is_query
from tests.faults.calls import Call, Came, broken, calls, made
from tests.faults.menu import FAULTS, MENU, WELL, Fault, Outcome

AT_ONCE = 16
MOST = 50 * 1024 * 1024  # bytes more
CAREFUL = {"once", "checkable"}

pytestmark = pytest.mark.usefixtures("hurry")


@pytest.fixture(scope="module", params=calls())
def call(request):
    return request.param


@pytest.fixture(scope="module")
def well(call, tmp_path_factory) -> Came:
    """The call as it goes when nothing is wrong."""
    return made(call, tmp_path_factory.mktemp("home"))


def places(call: Call, well: Came) -> list[int]:
    """The requests of a call that are tried; logging in is the same for all actions of a service."""
    return [at for at, one in enumerate(well.asked) if one.what != LOGIN or call.action == "probe"]


def writes(call: Call, what: str) -> bool:
    """Whether a request changes something at the service."""
    return call.effect != "read" and not what.startswith("GET ") and not is_query(call, what)


def expected(call: Call, fault: Fault, well: Came, at: int) -> frozenset[Outcome]:
    what = well.asked[at].what
    if what != LOGIN and writes(call, what):
        return allowed(call, what, fault, fault.write)
    if call.effect in CAREFUL and any(writes(call, one.what) for one in well.asked[:at]):
        return allowed(call, what, fault, fault.write)  # something has happened already
    return allowed(call, what, fault, fault.read)


def judged(call: Call, well: Came, home: Path, fault: Fault, at: int) -> list[str]:
    for _ in range(2):  # on a machine that is busy a deadline passes by itself: once more
        came = made(call, home, fault.serve, at)
        wrong = list(broken(call, fault, came, expected(call, fault, well, at)))
        if not wrong:
            break
    sent = [one for one in came.asked if one.wrong]
    login = fault.name.startswith("401")  # a token may be renewed once: a refused call changed nothing
    if len(sent) > 1 + login and writes(call, sent[0].what):
        wrong.append(f"{fault.name}: {sent[0].what} was sent {len(sent)} times")
    return [f"request {at + 1} ({well.asked[at].what}): {one}" for one in wrong]


def test_when_nothing_is_wrong_the_call_goes_well(call, well):
    assert (well.outcome, well.told) == (WELL, "")
    assert well.asked


def test_a_fault_is_told_as_what_to_do_next_in_time_and_without_a_secret(call, well, tmp_path):
    todo = [(one, at) for one in MENU if not one.heavy for at in places(call, well)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = pool.map(lambda one: judged(call, well, tmp_path, *one), sorted(todo, key=lambda one: not one[0].slow))
    assert [wrong for one in found for wrong in one] == []


def test_too_much_is_refused_with_little_memory(call, well, tmp_path):
    wrong = []
    for fault in (one for one in MENU if one.heavy):
        for at in places(call, well):
            before = _memory("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")
            wrong += judged(call, well, tmp_path, fault, at)
            more = _memory("VmHWM") - before
            wrong += [f"{fault.name}: {more >> 20} MiB more"] if more > MOST else []
    assert wrong == []


def test_where_nothing_listens_nothing_has_happened(call, tmp_path):
    came = made(call, tmp_path, deaf=True)
    assert list(broken(call, FAULTS["503"], came, frozenset({Unavailable}))) == []


def test_the_menu_is_long_and_every_class_of_outcome_stands_on_it():
    assert len(MENU) >= 60
    assert {outcome for one in MENU for outcome in one.read | one.write} >= {WELL, NotConnected, Rejected, Unavailable}


def _memory(name: str) -> int:
    """Bytes, of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(one.split()[1]) * 1024 for one in lines if one.startswith(f"{name}:"))
