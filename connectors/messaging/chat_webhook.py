"""Incoming webhooks of team chats: JANDI, Discord, NAVER WORKS, Slack, or any that takes a JSON text."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr

from connectors.base import Answer, Connector, action
from connectors.errors import NotConnected, Rejected
from connectors.messaging import Message, headed
from connectors.messaging.slack_blocks import escaped

if TYPE_CHECKING:  # whoever only receives never needs it
    from connectors.http import Http

_GONE = (401, 403, 404, 410)
_COLOR = "#2F6FED"
_DISCORD = 2000  # characters of `content`
_NO_EMBEDS = 1 << 2  # Discord's flag SUPPRESS_EMBEDS: a customer's link draws no picture

_HOSTS: dict[str, tuple[str, ...]] = {
    "jandi": ("wh.jandi.com",),
    "discord": ("discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"),
    "naver_works": ("webhook.worksmobile.com",),
    "slack": ("hooks.slack.com",),
}


def _jandi(title: str, text: str) -> dict[str, Any]:
    """https://support.jandi.com/en/articles/6352697: body is the headline, connectInfo what stands below it."""
    below = [{"title": "", "description": _unlinked(text)}] if title and text else []
    return {"body": _unlinked(title or text), "connectColor": _COLOR, "connectInfo": below}


def _discord(title: str, text: str) -> dict[str, Any]:
    """https://discord.com/developers/docs/resources/webhook#execute-webhook; `parse: []` calls nobody."""
    content = _unlinked("\n".join(one for one in (title, text) if one))
    if len(content) > _DISCORD:
        raise Rejected(f"Discord takes no more than {_DISCORD:,} characters")
    return {"content": content, "allowed_mentions": {"parse": []}, "flags": _NO_EMBEDS}


def _naver_works(title: str, text: str) -> dict[str, Any]:
    return {"title": title or "digilog", "body": {"text": text or title}}


def _slack(title: str, text: str) -> dict[str, Any]:
    return {
        "text": escaped("\n".join(one for one in (title, text) if one)),
        "mrkdwn": False,
        "link_names": False,
        "unfurl_links": False,
    }


def _plain(title: str, text: str) -> dict[str, Any]:
    return {"subject": title, "text": text}


_SHAPES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "jandi": _jandi,
    "discord": _discord,
    "naver_works": _naver_works,
    "slack": _slack,
    "plain": _plain,
}


class ChatWebhook(Connector):
    """Writes to the channel of a team chat through the secret address that the chat gives out for it.

    Nobody can be called and no link hidden by what a customer wrote.
    """

    service: ClassVar[str] = "chat_webhook"
    room: ClassVar[str] = "messaging"
    usual_rate: ClassVar[str | None] = "30/1m"  # Discord's is the tightest
    console: ClassVar[str] = """
        JANDI: the topic's menu > JANDI Connect > Webhook 수신 (Incoming Webhook) > copy the webhook URL
        Discord: the channel's settings > Integrations > Webhooks > New Webhook > Copy Webhook URL
        NAVER WORKS: add the app Incoming Webhook, invite its bot to the room, and issue an address for its channel ID
        Slack: api.slack.com/apps > your app > Incoming Webhooks > Add New Webhook to Workspace
        The whole address goes into the variable of `url`: whoever knows it can write there
    """
    limits: ClassVar[str] = "Discord: 2,000 characters and about 30 messages a minute (November 2026)"

    shape: Literal["jandi", "discord", "naver_works", "slack", "plain"]
    allowed_hosts: tuple[str, ...] = ()
    url: SecretStr = Field(description="the chat shows it where you add an incoming webhook; all of it is the secret")

    @action(effect="once")
    def send(self, *, medium: str, to: str, text: str, subject: str = "", message: str = "", key: str) -> Message:
        """Send one text to the channel."""
        del message
        path, query = self._address()
        headers = {"accept": "application/vnd.tosslab.jandi-v2+json"} if self.shape == "jandi" else None
        if self.shape == "discord":
            query["wait"] = "true"  # else Discord does not say whether the message was kept
        answer = self.http.post(
            path, _SHAPES[self.shape](*headed(subject, text)), params=query, headers=headers, accept=_GONE
        )
        if answer.status in _GONE:
            raise NotConnected(
                f"the chat knows the address no more ({answer.status})", next_step="make a new webhook in the chat"
            )
        return Message(id=_id(answer) or key, medium=medium, to=to, at=self._clock.now())

    def probe(self) -> str:
        """Look at the address only: whatever is sent there is written to the channel."""
        self._address()
        return "the address is of the right kind; only a message would prove it"

    def open_http(self) -> "Http":
        from connectors.http import Http

        parts = urlsplit(self.url.get_secret_value())
        base = self.base_url or f"{parts.scheme}://{parts.netloc}"
        return Http(base, allow_loopback=self.allow_loopback, proxy=self.proxy)

    def _address(self) -> tuple[str, dict[str, str]]:
        """Path and query of the secret address. Raises NotConnected when it is not the chat's own."""
        known = _HOSTS.get(self.shape, self.allowed_hosts)
        if not known:
            raise NotConnected("allowed_hosts: name the host that the address may have")
        try:
            parts = urlsplit(self.url.get_secret_value())
            right = parts.scheme == "https" and parts.hostname in known and parts.port in {None, 443}
        except ValueError:
            right = False
        if not right or "@" in parts.netloc or len(parts.path) < 2:
            raise NotConnected(f"url: this is no webhook of {self.shape}; it begins with https://{known[0]}/")
        return parts.path, dict(parse_qsl(parts.query))


def _unlinked(text: str) -> str:
    """JANDI and Discord hide an address behind a word by [word](address)."""
    return text.replace("](", "] (")


def _id(answer: Answer) -> str | None:
    """The chat's own id, where it tells one; a text like `ok` tells none."""
    if "json" not in answer.headers.get("content-type", ""):
        return None
    said: object = answer.json()
    id = said.get("id") if isinstance(said, Mapping) else None
    return id if isinstance(id, str) else None
