"""The table of what was verified against what takes tests that passed, and no others."""

import json
from types import SimpleNamespace

import pytest

from tests.verified import Keeper, merged, pytest_collection_modifyitems


def report(nodeid, when, outcome, claims=()):
    made = pytest.TestReport(nodeid, ("", 0, ""), {}, outcome, None, when)
    made.user_properties = [("verifies", [what, peer]) for what, peer in claims]
    return made


def test_only_what_passed_from_setup_to_teardown_counts_as_verified(tmp_path):
    keeper = Keeper(tmp_path / "verified.json")
    claim = [("stripe.refund", "localstripe 1.15.10")]
    for nodeid, call, end in (("well", "passed", "passed"), ("red", "failed", "passed"), ("late", "passed", "failed")):
        named = [(f"{nodeid}.{what}", peer) for what, peer in claim]
        for when, outcome in (("setup", "passed"), ("call", call), ("teardown", end)):
            keeper.pytest_runtest_logreport(report(nodeid, when, outcome, named))
    keeper.pytest_runtest_logreport(report("skipped", "setup", "skipped", claim))
    keeper.pytest_sessionfinish()
    assert list(json.loads((tmp_path / "verified.json").read_text())) == ["well.stripe.refund"]


def test_a_claim_of_several_tests_counts_only_if_all_hold(tmp_path):
    keeper, claim = Keeper(tmp_path / "verified.json"), [("stripe.refund", "localstripe 1.15.10")]
    for nodeid, outcome in (("one", "passed"), ("other", "failed")):
        keeper.pytest_runtest_logreport(report(nodeid, "call", outcome, claim))
    keeper.pytest_sessionfinish()
    assert not (tmp_path / "verified.json").exists()


def test_a_newer_version_of_a_peer_takes_the_place_of_the_older(tmp_path):
    file = tmp_path / "verified.json"
    file.write_text(
        merged(file, [("stripe.refund", "localstripe 1.15.9"), ("slack.send", "emulate 0.12.2")], "2026-11-01")
    )
    told = json.loads(merged(file, [("stripe.refund", "localstripe 1.15.10")], "2026-11-22"))
    assert told["stripe.refund"] == {"localstripe": {"peer": "localstripe 1.15.10", "date": "2026-11-22"}}
    assert told["slack.send"]["emulate"]["date"] == "2026-11-01"
    both = [("stripe.receive", "stripe SDK 16.1.0"), ("stripe.receive", "stripe OpenAPI 2025-10")]
    assert list(json.loads(merged(file, both, "2026-11-22"))["stripe.receive"]) == ["stripe OpenAPI", "stripe SDK"]


def test_the_mark_travels_with_the_report():
    mark = pytest.mark.verifies("stripe.refund", peer="localstripe 1.15.10").mark
    item = SimpleNamespace(user_properties=[], iter_markers=lambda name: [mark] if name == "verifies" else [])
    pytest_collection_modifyitems([item])
    assert item.user_properties == [("verifies", ["stripe.refund", "localstripe 1.15.10"])]
