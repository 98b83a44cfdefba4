"""Messages to customers and to the team, and the gate that each one passes at the moment of sending."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.base import Connector, action
from connectors.errors import Rejected
from flows.ledger.call import Blocked, Call, Outgoing, Resolved
from flows.ledger.parties import contacts
from flows.playbook import services
from flows.playbook.model import Book, MessageText
from flows.playbook.text import blanks, fill

CONTACT = {"email": "email", "sms": "phone", "lms": "phone", "alimtalk": "phone"}
OUTBOX = "outbox"  # the connection that is always there


def connection_of(book: Book, medium: str) -> str:
    return book.company.mediums.get(medium, OUTBOX)


def gate(text: MessageText) -> Blocked | None:
    """What keeps a message back. Adverts have no gate yet, so none leaves."""
    if text.purpose != "info":
        return Blocked("adverts are not sent: there is no gate for them yet")
    return None


class Messages(Connector):
    """Messages of messages.yaml to the customer of a case."""

    service = "message"

    @action(effect="resolver")
    def send(self, message: str, values: dict[str, str] | None = None, *, call: Call) -> Resolved:
        """Send a message of messages.yaml to the case's customer, with its blanks filled from `values`."""
        text = call.book.messages.get(message)
        if text is None:
            raise Rejected("there is no such message; add it to messages.yaml")
        if stopped := gate(text):
            return stopped
        for medium in (text.medium, text.fallback):
            if medium and medium not in call.tried and (sent := self._by(medium, message, text, values or {}, call)):
                return sent
        if call.tried:
            raise Rejected("no medium took the message")
        return Blocked(f"the customer has no {CONTACT.get(text.medium, 'address')} to write to")

    def _by(
        self, medium: str, message: str, text: MessageText, values: Mapping[str, str], call: Call
    ) -> Outgoing | None:
        kind = CONTACT.get(medium)
        to = contacts(call.session, call.party, kind) if kind and call.party else []
        if not to:
            return None
        connection = connection_of(call.book, medium)
        arguments: dict[str, object] = {
            "medium": medium, "to": to[0], "text": fill(text.text, values),
            "subject": fill(text.subject, values), "message": message,
        }  # fmt: skip
        arguments |= _template(call.book, connection, text, values)
        return Outgoing(connection, "send", arguments, medium, message)


def _template(book: Book, connection: str, text: MessageText, values: Mapping[str, str]) -> dict[str, object]:
    """A service that fills an approved template itself is handed the template and its blanks."""
    if text.provider_template is None or not _takes(book, connection, "template"):
        return {}
    return {"template": text.provider_template, "values": {name: str(values[name]) for name in blanks(text.text)}}


def _takes(book: Book, connection: str, argument: str) -> bool:
    return argument in services.connector_of(book.company, connection).actions()["send"].parameters


class Team(Connector):
    """Notices to the people who work here."""

    service = "team"

    @action(effect="resolver")
    def notify(self, text: str, subject: str = "", picture: str = "", *, call: Call) -> Resolved:
        """Tell the team: by the medium `team` of company.yaml, the outbox if it names none.

        `picture`: the name of a PNG in the home's `pictures` folder, for mediums that can show one.
        """
        told = to_team(call.book, text, subject)
        if not picture or not _takes(call.book, told.connection, "picture"):
            return told
        return replace(told, arguments={**told.arguments, "picture": picture})


def to_team(book: Book, text: str, subject: str, person: str | None = None) -> Outgoing:
    """A notice to one person, or to all; by e-mail it goes to the person's address, else to the sender's."""
    known = book.company.people.get(person or "")
    to = (known.email if known else None) or (known.name if known else None) or book.company.sender.email or "team"
    arguments = {"medium": "team", "to": to, "text": text, "subject": subject, "message": ""}
    return Outgoing(connection_of(book, "team"), "send", arguments, "team")
