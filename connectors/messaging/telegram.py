"""Telegram: notices to one chat by a bot, and what people write back to it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Never

from pydantic import Field, SecretStr

from connectors.base import Answer, Connector, Greeting, Incoming, action
from connectors.errors import NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.messaging import REPLIED, Message, whole
from connectors.payload import json_object
from connectors.signatures import verify_token

if TYPE_CHECKING:  # whoever only receives never needs it
    from connectors.http import Http

_SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 - a header; https://core.telegram.org/bots/api#setwebhook
_LONGEST = 4096  # https://core.telegram.org/bots/api#sendmessage
_REFUSED = (400, 403, 404, 409, 429)


class Telegram(Connector):
    """Writes to one chat or group as a Telegram bot, and hears what is written to the bot.

    Texts go as they are, without markup: what a customer wrote cannot become a link.
    """

    service: ClassVar[str] = "telegram"
    room: ClassVar[str] = "messaging"
    hosts: ClassVar[tuple[str, ...]] = ("api.telegram.org",)
    events: ClassVar[tuple[str, ...]] = (REPLIED,)
    signed: ClassVar[bool] = True
    answer: ClassVar[int] = 200
    usual_rate: ClassVar[str | None] = "20/1m"  # https://core.telegram.org/bots/faq: in one group
    console: ClassVar[str] = """
        In Telegram, write /newbot to @BotFather: it shows the token once, for the variable of `token`
        Add the bot to your group, write a word there, and open https://api.telegram.org/bot<token>/getUpdates
        The number at chat > id (with its minus) is `chat`
        To hear answers: make a long word of letters and numbers for the variable of `webhook_secrets`, and open
        https://api.telegram.org/bot<token>/setWebhook?url=https://your-name/in/CONNECTION&secret_token=<word>
    """
    limits: ClassVar[str] = "20 messages a minute in one group, 4,096 characters each (November 2026)"

    base_url: str = "https://api.telegram.org"
    chat: str = Field(pattern=r"^(-?\d{1,20}|@\w{4,64})$")
    token: SecretStr = Field(description="@BotFather in Telegram shows it after /newbot, or by /token")
    webhook_secrets: list[SecretStr] = Field(
        default_factory=list,
        description="the word that you gave to setWebhook as secret_token; only to hear answers",
    )

    @action(effect="once")
    def send(self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", key: str) -> Message:
        """Send one text to the connection's chat."""
        del message, key  # Telegram takes no key and cannot be asked for one
        said = whole(subject, text)
        if len(said.encode("utf-16-le")) // 2 > _LONGEST:
            raise Rejected(f"Telegram takes no more than {_LONGEST:,} characters")
        body = {"chat_id": self.chat, "text": said, "link_preview_options": {"is_disabled": True}}
        sent = _result(self.http.post("/sendMessage", body, accept=_REFUSED))
        id, date = sent.get("message_id"), sent.get("date")
        if not isinstance(id, int) or not isinstance(date, int):
            raise Uncertain("Telegram's answer does not say which message it is")
        return Message(id=str(id), medium=medium, to=to, at=_moment(date) or self._clock.now())

    def probe(self) -> str:
        """Ask Telegram who the bot is."""
        said = _result(self.http.get("/getMe", accept=_REFUSED))
        return f"Telegram knows this bot as @{said.get('username')}"

    def open_http(self) -> "Http":
        """The token is a part of the address, so it is kept out of the settings and out of every error."""
        from connectors.http import Http

        return Http(
            f"{self.base_url}/bot{self.token.get_secret_value()}",
            hosts=self.hosts,
            allow_loopback=self.allow_loopback,
            proxy=self.proxy,
        )

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """Verify the secret word, and find the update's number. Raises Forged, Odd or NotConnected."""
        verify_token(self.webhook_secrets, {name.lower(): one for name, one in headers.items()}.get(_SECRET, ""))
        payload = json_object(raw)
        id = payload.get("update_id")
        if not isinstance(id, int) or isinstance(id, bool):
            raise Odd("the update has no number")
        if "message" not in payload:  # edits, joinings, polls: Telegram sends them unless told otherwise
            return Greeting("")
        return Incoming(REPLIED, str(id), payload)

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """Who wrote what, and when. Raises Odd."""
        del name
        match json_object(raw).get("message"):
            case {"message_id": int(id), "chat": {"id": int(chat)}, **more} if not {type(id), type(chat)} & {bool}:
                sender, text = more.get("from"), more.get("text", more.get("caption"))
                at = _moment(more.get("date"))
                return {
                    "text": text if isinstance(text, str) else None,
                    "by": _number(sender.get("id")) if isinstance(sender, dict) else None,
                    "name": sender.get("first_name") if isinstance(sender, dict) else None,
                    "chat": str(chat),
                    "message": str(id),
                    "at": at.isoformat() if at else None,
                }
        raise Odd("the message is of a shape that cannot be read")


def _result(answer: Answer) -> dict[str, Any]:
    """https://core.telegram.org/bots/api#making-requests: ok and result, or error_code and parameters."""
    said = answer.json()
    if answer.status in _REFUSED:
        _refuse(answer.status, said)
    result = said.get("result") if isinstance(said, dict) and said.get("ok") is True else None
    if not isinstance(result, dict):
        raise (Uncertain if answer.write else Rejected)("Telegram's answer cannot be read")
    return result


def _refuse(status: int, said: Any) -> Never:
    if status == 429:
        parameters = said.get("parameters") if isinstance(said, dict) else None
        wait = parameters.get("retry_after") if isinstance(parameters, dict) else None
        raise Unavailable(
            "Telegram asks to come later (429)",
            retry_after=min(float(wait), 86400.0) if isinstance(wait, int) and wait >= 0 else None,
        )
    if status == 404:
        raise NotConnected("Telegram knows no such bot", next_step="compare the token with the one at @BotFather")
    if status == 403:
        raise Rejected("the bot was removed from the chat", next_step="add it to the group again")
    raise Rejected(f"Telegram refused ({status}); is the chat's id right, and is the bot in it?")


def _number(id: object) -> str | None:
    return str(id) if isinstance(id, int) and not isinstance(id, bool) else None


def _moment(date: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(date, UTC) if isinstance(date, int) else None
    except (ValueError, OverflowError, OSError):
        return None
