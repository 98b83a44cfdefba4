"""What a text message cannot carry is said before anybody waits for it."""

import shutil
from pathlib import Path

import pytest

from flows.playbook.check import check

HERE = Path(__file__).parent
SOLAPI = """  texts: {connector: solapi, sender: 02-555-0101, kakao_channel: KA01PF}
mediums: {email: outbox, sms: texts, lms: texts, alimtalk: texts, team: outbox}"""
BY_HAND = "mediums: {email: outbox, sms: outbox, alimtalk: outbox, team: outbox}"


def checked(folder: Path, message: str, mediums: str = SOLAPI, country: str = "KR"):
    """A company whose messages.yaml has one more message; what is said of it."""
    place = folder / "playbooks"
    shutil.copytree(HERE / "company", place)
    company = (place / "company.yaml").read_text()
    assert BY_HAND in company
    company = company.replace(BY_HAND, mediums)
    company = company.replace("country: KR", f"country: {country}")
    (place / "company.yaml").write_text(company)
    with (place / "messages.yaml").open("a") as file:
        file.write(f"\nours: {message}\n")
    found = check(place)
    last = len((place / "messages.yaml").read_text().splitlines())
    told = [[one.message for one in problems if one.line == last] for problems in (found.problems, found.notices)]
    return told[0], told[1]


LONG = "가" * 46


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (f"{{medium: sms, purpose: info, text: {LONG}}}", "the text has 92 bytes or more, sms carries 90"),
        (f"{{medium: sms, purpose: info, text: '#{{이름}}님 {LONG[4:]}'}}", "the text has 93 bytes or more"),
        ("{medium: sms, purpose: info, text: 고맙습니다 😀🎉}", "sms cannot carry 😀 🎉"),
        (f"{{medium: lms, purpose: info, text: {'가' * 1001}}}", "the text has 2002 bytes or more, lms carries 2000"),
        (
            f"{{medium: alimtalk, provider_template: KA01TP, fallback: sms, purpose: info, text: {LONG}}}",
            "the text has 92 bytes or more, sms carries 90; shorten it, or say lms",
        ),
    ],
)
def test_what_a_text_message_cannot_carry_is_told(tmp_path, message, sentence):
    problems, notices = checked(tmp_path, message)
    assert problems == []
    assert [one for one in notices if sentence in one], notices


@pytest.mark.parametrize(
    ("message", "mediums", "country"),
    [
        (f"{{medium: sms, purpose: info, text: {LONG[1:]}}}", SOLAPI, "KR"),
        (f"{{medium: lms, purpose: info, text: {LONG}}}", SOLAPI, "KR"),
        (f"{{medium: sms, purpose: info, text: {LONG}}}", BY_HAND, "KR"),
        (f"{{medium: sms, purpose: info, text: {LONG}}}", SOLAPI, "DE"),
        ("{medium: email, purpose: info, subject: 안녕, text: 안녕 😀}", SOLAPI, "KR"),
    ],
)
def test_what_fits_or_is_sent_by_hand_is_no_trouble(tmp_path, message, mediums, country):
    assert checked(tmp_path, message, mediums, country) == ([], [])


def test_an_alimtalk_without_its_template_is_a_mistake_where_a_service_sends_it(tmp_path):
    message = "{medium: alimtalk, purpose: info, text: 안녕}"
    problems, _ = checked(tmp_path / "a", message)
    assert problems == ["an alimtalk is sent by its approved template; add provider_template with its id"]
    assert checked(tmp_path / "b", message, BY_HAND) == ([], [])
