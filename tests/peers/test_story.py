"""The example company on Tally, Solapi, Slack, Google Sheets and PortOne: the demo's story, told again."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from flows.demo import story
from flows.playbook.load import load_text
from flows.store import tables as t
from tests.connectors.samples import portone
from tests.peers.start import ROOT
from tests.peers.switched import Switched, company, services

PAGE = (ROOT / "docs" / "how-to" / "switch.md").read_text("utf-8")
BEFORE, AFTER, RENEWAL = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
UNKNOWN = "onda-unknown"


def test_the_page_begins_with_the_company_as_it_is():
    told, there = load_text(BEFORE, "switch.md").data, (ROOT / "playbooks" / "company.yaml").read_text("utf-8")
    assert told == {key: load_text(there, "company.yaml").data[key] for key in ("connections", "mediums")}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    folder = tmp_path_factory.mktemp("switched")
    with services(folder) as found:
        made = Switched(folder / "home", company(folder / "playbooks", AFTER, found), found)
        try:
            made.open()
            yield made
        finally:
            made.close()


def test_the_page_names_each_secret_that_is_wanted(stage):
    (lines,) = re.findall(r"^```text\n(DIGILOG_.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    login = {name.replace("CLIENT_SECRET", "SERVICE_ACCOUNT") for name in stage.secrets()}
    assert {line.partition("=")[0] for line in lines.splitlines()} == login


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("trial-form", "https://desk.onda.example/in/trial-form"),
        ("texts", "12,340 won are left"),
        ("desk", "Slack knows this app"),
        ("roster", "the sheet 체험 has 0 rows"),
        ("till", "PortOne knows the API secret"),
    ],
)
def test_each_connection_answers(stage, name, answer):
    assert f"digilog connect {name}\n" in PAGE
    assert answer in stage.digilog("connect", name)


def test_the_demos_story_comes_out_on_the_services(stage):
    story.tell(stage)
    assert stage.said[-1].startswith("  ✓ no customer's word and no secret in Prefect's database and the logs")
    assert sum(story.NAME in one and "trial_confirm" in one for one in stage.messages()) == 1
    assert stage.list.row_values(1)[1:] == ["이름", "지점", "일시"]
    assert not (stage.home / "outbox").exists()
    paused = [one for one in stage.digilog("connections").splitlines() if "paused" in one or "failing" in one]
    assert not paused


def test_a_payment_that_portone_bears_out_stops_the_offer(stage):
    case = _renewal(stage)
    unsigned, strange = stage.pay(portone.webhook(), {}), stage.pay(_webhook(UNKNOWN))
    assert (unsigned, strange, stage.pay(portone.webhook())) == (401, 202, 202)
    ended = select(t.case).where(t.case.c.id == case, t.case.c.status == "ended")
    assert stage.wait(lambda: stage.rows(ended), "the payment to stop the case")[0]["outcome"] == "won"
    (paid,) = stage.rows(select(t.exchange).where(t.exchange.c.kind == "payment"))
    assert (paid["amount"], paid["currency"], paid["system"]) == (Decimal(60_000), "KRW", "till")
    (bought,) = stage.rows(select(t.exchange).where(t.exchange.c.kind == "purchase_membership"))
    assert paid["party_id"] == bought["party_id"]
    events = stage.wait(lambda: stage.rows(select(t.event).where(t.event.c.state == "quarantined")), "quarantine")
    assert [one["reason"] for one in events] == ["it is not confirmed: the service knows nothing of it"]
    _days_later(stage, 5)
    steps = [row["step"] for row in stage.rows(select(t.journal.c.step).where(t.journal.c.case_id == case))]
    assert "notice" in steps
    assert "offer" not in steps
    assert "violation" not in stage.services.prism.log().lower()


def _renewal(stage):
    """The owner switches the renewal on while all runs; a membership ends in two weeks, and the notice leaves."""
    file = stage.playbooks / "expiry-renewal.yaml"
    text = file.read_text("utf-8").replace("state: design", "state: operate")
    text = text.replace("exchange: [purchase]", "exchange: [purchase, payment]")
    changed, told = load_text(text, file.name).data, load_text(RENEWAL, "switch.md").data
    assert told == {key: changed[key] for key in ("state", "stop")}
    file.write_text(text, "utf-8")
    stage.wait(lambda: "the playbooks were loaded again" in stage.log(), "the engine to load the files")
    tomorrow = (stage.now() + timedelta(days=1)).replace(hour=10, minute=0, second=30)
    until = (tomorrow + timedelta(days=14)).date()
    stage.digilog("exchange", "purchase_membership", "--party", story.PHONE, "--until", str(until), "--quantity", "10")
    _till(stage, tomorrow)
    stage.move_clock(tomorrow)
    stage.wait(lambda: any("expiry_notice" in one for one in stage.messages()), "the notice")
    (case,) = stage.rows(select(t.case.c.id).where(t.case.c.playbook == "expiry-renewal"))
    return case["id"]


def _till(stage, at: datetime) -> None:
    """What PortOne knows: one payment of this customer, and no other."""
    customer = {"id": "c-1", "name": story.NAME, "email": "hana@example.com", "phoneNumber": story.PHONE}
    moment = at.isoformat()
    found = portone.payment(customer=customer, paidAt=moment, requestedAt=moment, statusChangedAt=moment)
    stage.services.till.answers.update(
        {
            f"GET /payments/{portone.ORDER}": (200, found),
            f"GET /payments/{UNKNOWN}": (404, {"type": "PAYMENT_NOT_FOUND"}),
        }
    )


def _webhook(order):
    return portone.webhook().replace(portone.ORDER.encode(), order.encode())


def _days_later(stage, days):
    then = stage.now() + timedelta(days=days)
    stage.move_clock(then)
    told = select(t.case).where(t.case.c.playbook == "daily-metrics", t.case.c.period.contains(f"{then:%Y-%m-%d}"))
    stage.wait(lambda: stage.rows(told), "the days to pass")
