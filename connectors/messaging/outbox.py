"""The default for every medium: messages as files in the home, shown by the board, sent by nobody."""

from hashlib import sha256
from typing import ClassVar
from urllib.parse import quote

from connectors.base import Connector, action
from connectors.errors import Unavailable
from connectors.files import replace
from connectors.messaging import Message
from connectors.messaging.pictures import MISSING, picture_of

_LONGEST = 150


class Outbox(Connector):
    """Keeps each message as a readable file instead of sending it: for trying a playbook, and to send by hand."""

    service: ClassVar[str] = "outbox"
    room: ClassVar[str] = "messaging"

    @action(effect="repeat")
    def send(
        self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", picture: str = "", key: str
    ) -> Message:
        """Keep one message as a file, and its picture beside it; the same message again replaces its own file."""
        at = self._clock.now()
        path = self.in_outbox(file_name(key))
        seen = picture_of(self, picture) if picture else None
        beside = path.with_suffix(".png")
        went = beside.name if seen else MISSING if picture else ""
        head = {"medium": medium, "to": to, "message": message, "subject": subject, "picture": went}
        try:
            if seen:
                replace(beside, seen)
            replace(path, _page(head | {"at": at.isoformat()}, text).encode())
        except OSError:
            raise Unavailable("the outbox cannot be written; is the disk full?") from None
        return Message(id=path.name, medium=medium, to=to, at=at, state="kept", picture=went)


def file_name(key: str) -> str:
    """The outbox file of an effect: readable, and different for different keys."""
    safe = quote(key, safe="-_.", errors="surrogatepass").replace("~", "%7E").replace("%2F", "~")
    if safe.startswith((".", "~")):  # hidden, or somebody's home
        safe = f"%{ord('.' if safe[0] == '.' else '/'):X}{safe[1:]}"
    if len(safe) > _LONGEST:
        safe = f"{safe[:_LONGEST]}-{sha256(key.encode(errors='surrogatepass')).hexdigest()[:16]}"
    return f"{safe or 'message'}.txt"


def _page(head: dict[str, str], text: str) -> str:
    lines = [f"{name}: {' '.join(value.split())}" for name, value in head.items() if value]
    return "\n".join(lines) + f"\n\n{text}\n"
