"""What is asked of Google Analytics and Search Console, and what is read, judged by Google's own documents."""

import pytest

from connectors.analytics import Asked
from connectors.base import variable_of
from connectors.registry import find
from connectors.testing import scripted
from tests.connectors.samples import ga4, search_console
from tests.peers.discovery import discovery


def asked(sample, service, does):
    """The calls that something makes, and the answers of the script to them."""
    with scripted(dict(sample.GOOD)) as script:
        environ = {variable_of("site", name): value for name, value in sample.SECRETS.items()}
        told = {**sample.SETTINGS, "base_url": script.base_url, "allow_loopback": True}
        made = find(service).connect("site", told, environ=environ)
        does(made)
        made.close()
    return [one for one in script.asked if one.path != "/token"]


def judged(judge, sample, calls):
    names = []
    for one in calls:
        name = judge.asked(one.method, one.path, one.body)
        judge.answered(name, sample.GOOD[f"{one.method} {one.path}"][1])
        names.append(name)
    return names


@pytest.mark.verifies("ga4.readings", peer="Google's discovery document, analyticsdata v1beta")
@pytest.mark.verifies("ga4.probe", peer="Google's discovery document, analyticsdata v1beta")
def test_reports_and_answers_are_those_of_googles_own_document():
    judge = discovery("analyticsdata", "v1beta")
    calls = asked(ga4, "ga4", lambda made: (made.probe(), made.call("readings", ga4.ASKED)))
    assert judged(judge, ga4, calls) == ["analyticsdata.properties.getMetadata", "analyticsdata.properties.runReport"]


def test_a_report_without_filters_is_one_of_googles_too():
    judge = discovery("analyticsdata", "v1beta")
    plain = {**ga4.ASKED, "where": {}}
    (call,) = asked(ga4, "ga4", lambda made: made.call("readings", plain))
    assert judge.asked(call.method, call.path, call.body) == "analyticsdata.properties.runReport"
    judge.answered("analyticsdata.properties.runReport", ga4.report([]))


@pytest.mark.parametrize("more", [{}, {"where": {}}, {"split": [], "where": {"search_appearance": "AMP_BLUE_LINK"}}])
@pytest.mark.verifies("search_console.readings", peer="Google's discovery document, searchconsole v1")
@pytest.mark.verifies("search_console.probe", peer="Google's discovery document, searchconsole v1")
def test_queries_and_answers_are_those_of_googles_own_document(more):
    judge = discovery("searchconsole", "v1")

    def does(made):
        made.probe()
        made.answer_of(Asked(**{**search_console.ASKED, **more}), None)

    calls = asked(search_console, "search_console", does)
    assert judged(judge, search_console, calls) == ["webmasters.sites.get", "webmasters.searchanalytics.query"]


def test_the_judge_refuses_a_misspelt_field():
    judge = discovery("analyticsdata", "v1beta")
    with pytest.raises(AssertionError, match="Additional properties are not allowed"):
        judge.asked("POST", f"/v1beta/properties/{ga4.PROPERTY}:runReport", b'{"dateRange": []}')
