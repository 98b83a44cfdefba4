"""Whether a text of messages.yaml fits into a Korean text message."""

from connectors.messaging.korean import LMS, SMS, size, unwritable
from flows.playbook.model import Company, MessageText
from flows.playbook.services import OUTBOX, connector_of
from flows.playbook.text import blanks, fill

MOST = {"sms": SMS, "lms": LMS}
BLANK = "가나다"  # a blank counts as a name of three letters, six bytes; what fills it may be longer


def too_much(message: MessageText, medium: str | None, company: Company) -> str | None:
    """What keeps `medium` from carrying the text, in a sentence; none: nothing, or a person sends it by hand."""
    most = MOST.get(medium or "")
    if most is None or medium is None or company.country != "KR" or company.mediums.get(medium, OUTBOX) == OUTBOX:
        return None
    if strange := unwritable(message.text):
        return f"{medium} cannot carry {' '.join(strange[:5])}; take it out, or these messages are left to a person"
    least = size(fill(message.text, dict.fromkeys(blanks(message.text), BLANK)))
    if least <= most:
        return None
    instead = "; shorten it, or say lms" if medium == "sms" else "; shorten it"
    return f"the text has {least} bytes or more, {medium} carries {most}{instead}"


def lacks_template(message: MessageText, company: Company) -> bool:
    """Whether the service that sends it fills approved templates, and the message names none."""
    try:
        sends = connector_of(company, company.mediums.get(message.medium, OUTBOX)).actions().get("send")
    except ValueError:  # said where the medium is named
        return False
    wants = sends is not None and "template" in sends.parameters
    return wants and message.medium == "alimtalk" and message.provider_template is None
