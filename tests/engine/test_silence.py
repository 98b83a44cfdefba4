"""What does not happen is told, once and then daily, and so is its end; what fails is told to whom the playbook names."""

from connectors.errors import Rejected, Uncertain


def failures(shop):
    return [one for one in told(shop) if one.partition("subject: ")[2].startswith("[실패]")]


def told(shop):
    """Notices to the team, whole."""
    return [file.read_text() for file in sorted((shop.home / "outbox").glob("*.txt"))]


def begin(shop, answer, **head):
    shop.open([shop.machine("send", "sink.post", {"path": "/x", "body": {"a": "{{ name }}"}})],
              **{"on_failure": {"tell": "owner"}, **head})  # fmt: skip
    shop.calls.answers_to["sink.post"] = answer
    shop.asks()
    shop.turns()


def test_a_step_that_falls_back_is_told_once_without_the_customers_words(shop):
    begin(shop, Rejected("the service said no"))
    (said,) = failures(shop)
    case = shop.case()
    assert "send을 한다" in said
    assert f"digilog case {case['id']}" in said
    assert "the service said no" in said
    assert "to: han@onda.example" in said
    assert "김하나" not in said
    assert "5678" not in said


def test_a_doubt_is_told(shop):
    begin(shop, Uncertain("cut off"))
    assert ["cut off" in one for one in failures(shop)] == [True]


def test_nobody_is_told_where_the_playbook_names_nobody_or_nothing_failed(shop):
    begin(shop, Rejected("no"), on_failure=None)
    assert failures(shop) == []


def test_a_step_given_to_a_person_in_trial_is_no_failure(shop):
    begin(shop, Rejected("no"), state="trial", scenario=None)
    assert shop.asked(kind="fallback")
    assert failures(shop) == []
