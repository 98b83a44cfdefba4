"""Solapi: KakaoTalk AlimTalk and text messages to Korean numbers, looked for before any is sent again."""

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar

from pydantic import Field, SecretStr

from connectors.base import Answer, Connector, action
from connectors.clock import RealClock
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from connectors.messaging import Message
from connectors.messaging.korean import LMS, SMS, SUBJECT, size, unwritable, writable

_TYPES = {"sms": "SMS", "lms": "LMS", "alimtalk": "ATA"}
_CUSTOM, _LONGEST_CUSTOM = "digilog", 100  # customFields: a value has 100 characters at most
_LOOKED_BACK = timedelta(hours=48)  # an effect is given up after a day
_PAGE, _PAGES = 500, 40
_REFUSED = (400, 402, 403, 404)
# These names stand in public code that uses Solapi, in no list of the vendor's: anything else is sorted by its status.
_NO_MONEY = {"NotEnoughBalance"}
_RECONNECT = {"InvalidApiKey", "InvalidAPIKey", "SignatureDoesNotMatch", "Unauthorized", "Forbidden"}


class Solapi(Connector):
    """Sends AlimTalk (by the templates that Kakao approved), SMS and LMS from the company's own registered number.

    A message that cannot be delivered by KakaoTalk is not turned into a text message behind your back:
    `fallback` in messages.yaml says what follows.
    """

    service: ClassVar[str] = "solapi"
    room: ClassVar[str] = "messaging"
    hosts: ClassVar[tuple[str, ...]] = ("api.solapi.com",)
    console: ClassVar[str] = """
        console.solapi.com > 발신번호: register the number that you send from, with its certificate
        console.solapi.com > API Key 관리 > 새로운 API KEY: allow messages:write and messages:read, copy key and secret
        For AlimTalk: 카카오톡/네이버톡 > 채널 연동: connect your channel, and copy its pfId (KA01PF...)
        알림톡 템플릿: have each text approved, and copy its id (KA01TP...) into provider_template of messages.yaml
        잔액 충전: without balance nothing leaves
    """
    limits: ClassVar[str] = (
        "SMS 90 bytes, LMS 2,000 (a Korean letter is two), no emoji; a list of what was sent is kept six months; "
        "reports of delivery are not received, since it is not documented how they are signed (November 2026)"
    )

    base_url: str = "https://api.solapi.com"
    sender: str = Field(pattern=r"^[0-9-]{8,14}$")
    kakao_channel: str = Field("", pattern=r"^[A-Za-z0-9]*$")
    api_key: SecretStr = Field(description="console.solapi.com > API Key 관리 > API Key")
    api_secret: SecretStr = Field(description="console.solapi.com > API Key 관리 > API Secret, shown once")

    @action(effect="checkable", found_by="find")
    def send(
        self,
        *,
        medium: str,
        to: str,
        text: str,
        subject: str = "",
        message: str = "",
        template: str = "",
        values: dict[str, str] | None = None,
        key: str,
    ) -> Message:
        """Send one AlimTalk, SMS or LMS. AlimTalk takes `template` and its `values`; the others the text."""
        del message
        kind = _TYPES.get(medium)
        if kind is None:
            raise Rejected("Solapi sends alimtalk, sms and lms", next_step="correct mediums in company.yaml")
        one: dict[str, Any] = {
            "to": _at_home(to),
            "from": self.sender.replace("-", ""),
            "country": "82",
            "type": kind,
            "autoTypeDetect": False,  # else a long SMS goes as a dearer LMS without a word
            "customFields": {_CUSTOM: _mark(key)},
        }
        one |= self._alimtalk(template, values or {}) if kind == "ATA" else _letters(kind, text, subject)
        body = {"messages": [one], "allowDuplicates": False, "showMessageList": True}
        said = self._answered(self.http.post("/messages/v4/send-many/detail", body, **self._signed()))
        return Message(id=_accepted(said), medium=medium, to=to, at=self._clock.now())

    @action
    def find(self, *, key: str) -> Message | None:
        """Look through the messages of the last two days for the one of an effect."""
        # The list can be narrowed by number, type and time, not by customFields, so the mark is looked for here.
        # https://solapi.com/developers/api/msg-getList
        mark = _mark(key)
        for id, one in self._listed():
            custom = one.get("customFields")
            refused = str(one.get("statusCode", "")).startswith("1")  # never taken: sending it again says why
            if isinstance(custom, dict) and custom.get(_CUSTOM) == mark and not refused:
                medium = {kind: name for name, kind in _TYPES.items()}.get(str(one.get("type")), "sms")
                return Message(id=id, medium=medium, to=str(one.get("to", "")), at=_moment(one.get("dateCreated")))
        return None

    @action
    def balance(self) -> int:
        """Read what is left to send with, in won."""
        said = self._answered(self.http.get("/cash/v1/balance", **self._signed()))
        try:
            return int(float(said["balance"]))
        except (KeyError, TypeError, ValueError, OverflowError):
            raise Rejected("Solapi's answer tells no balance") from None

    def probe(self) -> str:
        """Read the balance."""
        return f"Solapi knows the key; {self.balance():,} won are left to send with"

    def _alimtalk(self, template: str, values: Mapping[str, str]) -> dict[str, Any]:
        if not self.kakao_channel:
            raise NotConnected(
                "kakao_channel is not set", next_step="write the channel's pfId (KA01PF...) as kakao_channel"
            )
        if not template:
            raise Rejected("the message has no provider_template", next_step="write its id into messages.yaml")
        return {
            "kakaoOptions": {
                "pfId": self.kakao_channel,
                "templateId": template,
                "variables": {f"#{{{name}}}": value for name, value in values.items()},
                "disableSms": True,
            }
        }

    def _listed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        now = RealClock().now()  # Solapi's own times are real, also in a demo
        asked: dict[str, Any] = {
            "limit": _PAGE,
            "dateType": "CREATED",
            "startDate": _stamp(now - _LOOKED_BACK),
            "endDate": _stamp(now + timedelta(hours=1)),
        }
        for _ in range(_PAGES):
            said = self._answered(self.http.get("/messages/v4/list", asked, **self._signed()))
            messages, following = said.get("messageList"), said.get("nextKey")
            if not isinstance(messages, dict):
                raise Rejected("Solapi's answer is no list of messages")
            yield from ((str(id), one) for id, one in messages.items() if isinstance(one, dict))
            if not following:
                return
            asked["startKey"] = following
        raise Unavailable("too many messages were sent to find one among them")

    def _signed(self) -> dict[str, Any]:
        """A signature serves one call: https://developers.solapi.com/references/authentication/api-key."""
        at, salt = _stamp(RealClock().now()), secrets.token_hex(16)
        signature = hmac.new(self.api_secret.get_secret_value().encode(), f"{at}{salt}".encode(), "sha256").hexdigest()
        said = f"apiKey={self.api_key.get_secret_value()}, date={at}, salt={salt}, signature={signature}"
        return {"headers": {"authorization": f"HMAC-SHA256 {said}"}, "accept": _REFUSED}

    def _answered(self, answer: Answer) -> dict[str, Any]:
        if answer.status in _REFUSED:
            raise _refusal(answer)
        said = answer.json()
        if not isinstance(said, dict):
            raise (Uncertain if answer.write else Rejected)("Solapi's answer cannot be read")
        return said


def _refusal(answer: Answer) -> ConnectorError:
    try:
        said = answer.json()
    except ConnectorError:
        said = None
    code = said.get("errorCode") if isinstance(said, dict) else None
    if code in _NO_MONEY or answer.status == 402:
        return NotConnected("Solapi has no balance left", next_step="charge it: console.solapi.com > 잔액 충전")
    if code in _RECONNECT or answer.status == 403:
        return NotConnected(
            "Solapi refused the key",
            next_step="console.solapi.com > API Key 관리: is it active, is this address allowed?",
        )
    return Rejected(f"Solapi refused ({answer.status})")


def _accepted(said: Mapping[str, Any]) -> str:
    """The message's id. Raises Rejected when Solapi did not take it."""
    match said:
        case {"failedMessageList": [failed, *_]}:
            code = failed.get("statusCode") if isinstance(failed, dict) else None
            shown = f" ({code})" if isinstance(code, str) and re.fullmatch(r"\d{4}", code) else ""
            raise Rejected(f"Solapi did not take the message{shown}", next_step="look the code up at Solapi")
        case {"messageList": [{"messageId": str(id)}, *_]} | {"groupInfo": {"groupId": str(id)}} if id:
            return id
    raise Uncertain("Solapi's answer does not say whether it took the message")


def _letters(kind: str, text: str, subject: str) -> dict[str, Any]:
    plain, title = writable(text), writable(subject)
    if strange := unwritable(plain + title):
        raise Rejected(f"a text message cannot carry {' '.join(strange[:5])}", next_step="send it by hand without it")
    if (most := SMS if kind == "SMS" else LMS) < (bytes_ := size(plain)):
        raise Rejected(
            f"the text has {bytes_} bytes, {kind} carries {most}",
            next_step="shorten it" + ("" if kind == "LMS" else ", or make its medium or its fallback lms"),
        )
    if kind == "SMS" or not title:
        return {"text": plain}
    if size(title) > SUBJECT:
        raise Rejected(f"the subject has more than {SUBJECT} bytes")
    return {"text": plain, "subject": title}


def _at_home(to: str) -> str:
    """+821012345678 as it is dialled in Korea."""
    digits = re.sub(r"[ -]", "", to)
    if digits.startswith("+82"):
        digits = "0" + digits[3:].removeprefix("0")
    if not re.fullmatch(r"0\d{7,11}", digits):
        raise Rejected("the receiver's number is not a Korean one")
    return digits


def _mark(key: str) -> str:
    return key if len(key) <= _LONGEST_CUSTOM else sha256(key.encode()).hexdigest()


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def _moment(said: object) -> datetime:
    try:
        at = datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        at = None
    return at.astimezone(UTC) if at and at.tzinfo else RealClock().now()
