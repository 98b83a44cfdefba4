"""Slack: notices to the team in a channel, found again by what they carry; answers and pressed buttons come back."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from pydantic import Field, SecretStr

from connectors.base import Answer, Connector, Greeting, Incoming, action
from connectors.clock import RealClock
from connectors.errors import ConnectorError, NotConnected, Odd, Rejected, Unavailable, Uncertain
from connectors.messaging import PRESSED, REPLIED, Message, whole
from connectors.messaging.pictures import MISSING, picture_of
from connectors.messaging.slack_blocks import VALUE, escaped, sections, two_buttons, unescaped
from connectors.payload import json_object, key_of
from connectors.signatures import verify_slack

_CHANNEL = r"^[CGD][A-Z0-9]+$"
_EVENT_TYPE = "digilog_message"
_LOOKED_BACK = timedelta(hours=48)  # an effect is given up after a day
_PAGE, _PAGES = 200, 50
_LONGEST = 40_000  # characters of a message

# https://docs.slack.dev/reference/methods/chat.postMessage#errors and conversations.history; read in November 2026
_RECONNECT = {
    "account_inactive", "access_denied", "ekm_access_denied", "invalid_auth", "missing_scope", "no_permission",
    "not_allowed_token_type", "not_authed", "org_login_required", "token_expired", "token_revoked",
    "enterprise_is_restricted", "accesslimited", "team_access_not_granted", "two_factor_setup_required",
}  # fmt: skip
_LATER = {"ratelimited", "rate_limited", "request_timeout", "team_added_to_org"}
_MAYBE = {"fatal_error", "internal_error", "service_unavailable"}  # "some aspect of the operation" may have succeeded
_REFUSED = {
    "channel_not_found": "the channel is not known, or the app was not invited to it: /invite it there",
    "not_in_channel": "the app is not in the channel: /invite it there",
    "is_archived": "the channel is archived",
    "message_not_found": "there is no such message",
    "cant_update_message": "the message is not this app's own",
    "edit_window_closed": "the message is too old to be changed",
    "msg_too_long": "the text is too long for Slack",
    "no_text": "there is no text to send",
    "invalid_blocks": "Slack refused the buttons",
    "restricted_action": "the workspace does not let this app write there",
}


class Slack(Connector):
    """Writes to one channel of a Slack workspace as an app, finds what it wrote, and hears answers and buttons.

    Words of customers stay words: they can neither call everybody in the channel nor hide a link.
    """

    service: ClassVar[str] = "slack"
    room: ClassVar[str] = "messaging"
    hosts: ClassVar[tuple[str, ...]] = ("slack.com", "files.slack.com")
    events: ClassVar[tuple[str, ...]] = (REPLIED, PRESSED)
    signed: ClassVar[bool] = True
    answer: ClassVar[int] = 200
    usual_rate: ClassVar[str | None] = "1/1s"  # chat.postMessage: one a second and channel
    scopes: ClassVar[tuple[str, ...]] = ("chat:write", "channels:history", "groups:history", "files:write")
    console: ClassVar[str] = """
        api.slack.com/apps > Create New App > From scratch, and choose the workspace
        OAuth & Permissions > Bot Token Scopes: add chat:write, channels:history, groups:history, files:write
        Install to Workspace, and copy the Bot User OAuth Token (xoxb-...) into the variable of `token`
        In Slack: /invite the app into the channel; the channel's id (C...) stands at the end of its details
        To hear answers and buttons: Basic Information > Signing Secret goes into the variable of `signing_secrets`
        Interactivity & Shortcuts and Event Subscriptions > Request URL: https://your-name/in/CONNECTION
        Event Subscriptions > Subscribe to bot events: message.channels
    """
    limits: ClassVar[str] = (
        "one message a second and channel, 40,000 characters; reading the history is for apps of your own workspace "
        "(others: once a minute); Slack waits three seconds for an answer (November 2026)"
    )

    base_url: str = "https://slack.com/api"
    channel: str = Field(pattern=_CHANNEL)
    more_channels: tuple[str, ...] = ()
    token: SecretStr = Field(description="api.slack.com/apps > your app > OAuth & Permissions > Bot User OAuth Token")
    signing_secrets: list[SecretStr] = Field(
        default_factory=list,
        description="api.slack.com/apps > your app > Basic Information > Signing Secret; only to hear answers",
    )

    @action(effect="checkable", found_by="find")
    def send(
        self,
        *,
        medium: str,
        to: str,
        text: str,
        subject: str = "",
        message: str = "",
        link: str = "",
        link_label: str = "",
        done: str = "",
        done_label: str = "",
        picture: str = "",
        key: str,
    ) -> Message:
        """Send one notice to the connection's channel: with a button that opens `link` (https), with one called
        `done_label` that brings `done` back when somebody presses it, and with a picture below it.
        """
        del message
        # without a signing secret nobody here would hear the button
        buttons = two_buttons(link, link_label, done if self.signing_secrets else "", done_label)
        sent = self._post(self.channel, whole(subject, text), buttons, key)
        more = {"medium": medium, "to": to, "picture": self._show(picture, subject) if picture else ""}
        return sent.model_copy(update=more)

    @action(effect="checkable", found_by="find")
    def post(
        self, text: str, channel: str = "", link: str = "", link_label: str = "", done: str = "", *, key: str
    ) -> Message:
        """Write to a channel (`channel`: one of `more_channels`), with a button for `link`, and one called `done`
        that tells digilog who pressed it.
        """
        if channel and channel not in {self.channel, *self.more_channels}:
            raise Rejected("the channel is not among the connection's: add its id to more_channels")
        buttons = two_buttons(link, link_label, key[:VALUE] if done else "", done)
        return self._post(channel or self.channel, text, buttons, key)

    @action(effect="repeat")
    def update(self, message: str, text: str, channel: str = "") -> Message:
        """Change the text of a message that this connection sent; its buttons go. `message`: the id that it brought."""
        to = channel or self.channel
        body = {"channel": to, "ts": message, "text": escaped(text), "blocks": [], "link_names": False}
        return self._sent(to, self._call("chat.update", body))

    @action
    def find(self, *, key: str) -> Message | None:
        """Look through the last two days of the connection's channels for the message of one effect."""
        for channel in (self.channel, *self.more_channels):
            for one in self._history(channel):
                metadata = one.get("metadata")
                carried = metadata.get("event_payload") if isinstance(metadata, dict) else None
                if isinstance(carried, dict) and carried.get("key") == key:
                    return self._sent(channel, one)
        return None

    def probe(self) -> str:
        """Ask Slack who the token is."""
        said = self._call("auth.test", {}, write=False)
        return f"Slack knows this app as {said.get('user')} in {said.get('team')}"

    @staticmethod
    def refusal(answer: Answer) -> ConnectorError | None:
        """Slack tells nearly every error in a 200."""
        said = answer.json()
        ok = said.get("ok") if isinstance(said, dict) else None
        if ok is True:
            return None
        error = said.get("error") if isinstance(said, dict) else None
        if ok is not False or not isinstance(error, str):
            return (Uncertain if answer.write else Rejected)("Slack's answer cannot be read")
        if error in _RECONNECT:
            return NotConnected(
                "Slack refused the app's token or its permissions",
                next_step="install the app again: api.slack.com/apps > your app > OAuth & Permissions",
            )
        if error in _LATER:
            return Unavailable("Slack asks to come later")
        if error in _MAYBE:
            return (Uncertain if answer.write else Unavailable)("Slack failed")
        return Rejected(_REFUSED.get(error, "Slack refused"))

    def credentials(self) -> dict[str, Any]:
        return {"headers": {"authorization": f"Bearer {self.token.get_secret_value()}"}}

    def receive(self, headers: Mapping[str, str], raw: bytes) -> Incoming | Greeting:
        """Verify, then tell a handshake, a pressed button and an answer apart. Raises Forged, Odd or NotConnected."""
        verify_slack(self.signing_secrets, headers, raw)
        payload = _payload(raw)
        match payload:
            case {"type": "url_verification", "challenge": str(challenge)}:
                return Greeting(challenge)
            case {"type": "block_actions", "actions": [{"action_ts": str(at)}, *_], "user": {"id": str(who)}}:
                return Incoming(PRESSED, f"{key_of(who, 'a person')}/{key_of(at, 'a press')}", payload)
            case {"type": "event_callback", "event": {"type": "message", **event}, "event_id": str(id)}:
                if event.get("bot_id") or event.get("subtype"):  # our own, joinings, edits
                    return Greeting("")
                return Incoming(REPLIED, key_of(id, "the answer"), payload)
        raise Odd("Slack sent something that is neither an answer nor a pressed button")

    def read(self, name: str, raw: bytes) -> dict[str, Any]:
        """Who wrote or pressed what, where and when. Raises Odd."""
        match name, _payload(raw):
            case "button.pressed", {"actions": [dict(pressed), *_], "user": {"id": str(who)}, **rest}:
                where, message = rest.get("channel"), rest.get("message")
                return {
                    "button": pressed.get("action_id"),
                    "value": pressed.get("value"),
                    "by": who,
                    "channel": where.get("id") if isinstance(where, dict) else None,
                    "message": message.get("ts") if isinstance(message, dict) else None,
                    "at": _said(_moment(pressed.get("action_ts"))),
                }
            case "message.replied", {"event": {"text": str(text), "ts": str(ts), **event}}:
                return {
                    "text": unescaped(text),
                    "by": event.get("user"),
                    "channel": event.get("channel"),
                    "message": ts,
                    "thread": event.get("thread_ts"),
                    "at": _said(_moment(ts)),
                }
        raise Odd("Slack's message is of a shape that cannot be read")

    def _post(self, channel: str, text: str, buttons: list[dict[str, Any]], key: str) -> Message:
        safe = escaped(text)
        if len(safe) > _LONGEST:
            raise Rejected("the text is too long for Slack")
        body: dict[str, Any] = {
            "channel": channel,
            "text": safe,
            "parse": "none",
            "link_names": False,
            "mrkdwn": False,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": _EVENT_TYPE, "event_payload": {"key": key}},
        }
        if buttons:
            body["blocks"] = [*sections(safe), {"type": "actions", "elements": buttons}]
        return self._sent(channel, self._call("chat.postMessage", body))

    def _show(self, picture: str, title: str) -> str:
        """Upload a picture below its text, which is sent already: what fails here is told, and repeats nothing."""
        seen = picture_of(self, picture)
        try:
            if seen:
                self._upload(f"{picture}.png", seen, title or picture)
        except ConnectorError as error:
            return f"not uploaded: {error.reason}"
        return "uploaded" if seen else MISSING

    def _upload(self, name: str, content: bytes, title: str) -> None:
        # https://docs.slack.dev/messaging/working-with-files#upload; read in November 2026
        asked = {"filename": name, "length": len(content)}
        place = self._call("files.getUploadURLExternal", form=asked, write=False)
        url, id = place.get("upload_url"), place.get("file_id")
        if not isinstance(url, str) or not url.startswith("http") or not isinstance(id, str):
            raise Rejected("Slack's answer does not say where a picture goes")
        with closing(self.open_http()) as way:  # its answer is a line of text
            way.post(url, content=content, write=False, headers={"content-type": "application/octet-stream"})
        shown = {"files": [{"id": id, "title": title}], "channel_id": self.channel}
        self._call("files.completeUploadExternal", shown)

    def _sent(self, channel: str, said: Mapping[str, Any]) -> Message:
        ts = said.get("ts")
        at = _moment(ts)
        if not isinstance(ts, str) or at is None:
            raise Uncertain("Slack's answer does not say which message it is")
        return Message(id=ts, medium="slack", to=channel, at=at)

    def _history(self, channel: str) -> Iterator[dict[str, Any]]:
        asked: dict[str, Any] = {
            "channel": channel,
            "limit": _PAGE,
            "include_all_metadata": "true",
            "oldest": f"{(RealClock().now() - _LOOKED_BACK).timestamp():.6f}",
        }
        for _ in range(_PAGES):
            said = self._call("conversations.history", form=asked, write=False)
            messages = said.get("messages")
            if not isinstance(messages, list):
                raise Unavailable("Slack's history cannot be read")
            yield from (one for one in messages if isinstance(one, dict))
            more = said.get("response_metadata")
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
            if not cursor:
                if said.get("has_more"):
                    raise Unavailable("Slack's history breaks off")
                return
            asked = asked | {"cursor": cursor}
        raise Unavailable("the channel is too busy to find a message in it")

    def _call(self, method: str, body: object = None, **more: Any) -> dict[str, Any]:
        return dict(self.http.post(f"/{method}", body, **more).json())  # what is no good answer, `refusal` has raised


def _payload(raw: bytes) -> dict[str, Any]:
    """An interaction comes as a form with one field of JSON, an event as JSON."""
    try:
        text = raw.decode()
        said = parse_qs(text)["payload"][0] if text.startswith("payload=") else text
    except (ValueError, KeyError):
        raise Odd("the payload is no JSON") from None
    return json_object(said)


def _moment(ts: object) -> datetime | None:
    """Slack's name of a message is also its time: 1767225600.000100."""
    try:
        return datetime.fromtimestamp(float(ts), UTC) if isinstance(ts, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def _said(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
