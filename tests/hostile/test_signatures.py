"""Every scheme of signatures against altered webhooks: what is accepted is to the byte what somebody signed."""

import base64
import hmac
import json
import math
import os
import random
import re
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from slack_sdk.signature import SignatureVerifier
from stripe import WebhookSignature

from connectors.base import variable_of
from connectors.errors import Forged, Odd
from connectors.forms.webhook import Webhook
from connectors.payments.toss import Toss
from connectors.registry import find, names
from connectors.signatures import sign_standard
from flows.people.links import Links
from flows.web.inbox import _may_enter

SOAK = min(1.0, float(os.environ.get("DIGILOG_SOAK", "0")))  # 1 and more: at length; 0.1: a tenth of it
ROUNDS = int(800_000 * SOAK) or 20_000  # over all schemes; the door itself takes the rest: see test_inbox
SECRETS = ["whsec_b25lIHNlY3JldCBvZiBvdXJzLCBub3RoaW5nIGVsc2U=", "whsec_dGhlIG90aGVyIG9uZSwgd2hpbGUgdGhleSByb3RhdGU="]
STRANGE = "whsec_c3RyYW5nZXJzIG93biBzZWNyZXQsIG5vdCBvdXJz"

Headers = dict[str, str]
Sent = tuple[Headers, bytes]
Sign = Callable[[str, str, datetime, bytes], Headers]  # secret, id, time and body
Take = Callable[[Mapping[str, str], bytes], object]
ODD = ["", " ", "\x00", "\n", ",", ".", "v1,", "v1a,", "v2,", "=", "+", "-", "_", "é", "\ud800", "１", "1e9", "nan",
       "inf", "0", "-1", "A" * 5_000, "v1," + "A" * 44, "\u202e"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one sender signs, who takes it, and what of the headers it vouches for; some vouch for no body."""

    take: Take
    sign: Sign
    vouches: Callable[[Headers], object]
    body: bool = True
    timed: bool = False


def _taken(service: str, settings: Mapping[str, str] = {}, more: Mapping[str, str] = {}) -> Take:
    kind = find(service)
    field = "webhook_secrets" if "webhook_secrets" in kind.secrets() else "signing_secrets"
    given = {**more, field: ",".join(SECRETS)}
    return kind.connect(service, settings, environ={variable_of(service, one): it for one, it in given.items()}).receive


def _standard(head: Headers, name: str = "webhook") -> object:
    return head[f"{name}-id"], math.floor(float(head[f"{name}-timestamp"]))


def _svix(secret: str, id: str, at: datetime, raw: bytes) -> Headers:
    found = sign_standard(secret, id, at, raw)
    return {name.replace("webhook-", "svix-"): value for name, value in found.items()}


def _digest(secret: str, signed: bytes) -> bytes:
    return hmac.digest(secret.encode(), signed, "sha256")


def _hex(name: str, prefix: str = "") -> Sign:
    return lambda secret, _id, _at, raw: {name: prefix + _digest(secret, raw).hex()}


def _base64(name: str, prefix: str = "") -> Sign:
    return lambda secret, _id, _at, raw: {name: prefix + base64.b64encode(_digest(secret, raw)).decode()}


def _token(name: str, prefix: str = "") -> Sign:
    return lambda secret, _id, _at, raw: {name: prefix + secret}


def _list(name: str) -> Sign:
    def sign(secret: str, id: str, at: datetime, raw: bytes) -> Headers:
        return {name: WebhookSignature.generate_signature_header(raw.decode(), secret, int(at.timestamp()))}

    return sign


def _two_headers(secret: str, id: str, at: datetime, raw: bytes) -> Headers:
    stamp = str(int(at.timestamp()))
    signature = base64.b64encode(_digest(secret, stamp.encode() + b"." + raw)).decode()
    return {"x-time": stamp, "x-signature": f"v2={signature}"}


def _slack(secret: str, id: str, at: datetime, raw: bytes) -> Headers:
    stamp = str(int(at.timestamp()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=raw)
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": str(signature)}


def _nothing(head: Headers) -> object:
    return None


def _of(name: str) -> Callable[[Headers], object]:
    return lambda head: head[name].strip()


def _time_in(name: str) -> Callable[[Headers], object]:
    return lambda head: re.findall(r"(?:^|,)\s*t\s*=([^,]*)", head[name])


def _path(secret: str, id: str, at: datetime, raw: bytes) -> Headers:
    return {"path": Links("", (SECRETS[0] if secret != STRANGE else STRANGE).encode()).door("till")}


def _door(head: Mapping[str, str], raw: bytes) -> object:
    """Who signs nothing finds the door only by the path that was told to it."""
    context: Any = SimpleNamespace(world=SimpleNamespace(links=Links("", SECRETS[0].encode())))
    if not _may_enter(context, "till", Toss, {name.lower(): one for name, one in head.items()}.get("path")):
        raise Forged("nothing is received here")
    return None


TIMED = {"scheme": "hmac", "header": "X-Signature", "encoding": "base64", "prefix": "v2=", "timestamp_header": "X-Time"}
SCHEMES = {
    "standard": Scheme(_taken("webhook"), sign_standard, _standard, timed=True),
    "svix": Scheme(_taken("webhook", {"scheme": "svix"}), _svix, lambda head: _standard(head, "svix"), timed=True),
    "portone": Scheme(_taken("portone", more={"api_secret": "x"}), sign_standard, _standard, timed=True),
    "stripe": Scheme(
        _taken("stripe", more={"secret_key": "x"}), _list("stripe-signature"), _time_in("stripe-signature"), timed=True
    ),
    "calendly": Scheme(
        _taken("webhook", {"scheme": "calendly"}),
        _list("calendly-webhook-signature"),
        _time_in("calendly-webhook-signature"),
        timed=True,
    ),
    "slack": Scheme(
        _taken("slack", {"channel": "C0DESK001"}, {"token": "x"}), _slack, _of("x-slack-request-timestamp"), timed=True
    ),
    "hmac": Scheme(_taken("webhook", TIMED), _two_headers, _of("x-time"), timed=True),
    "github": Scheme(_taken("webhook", {"scheme": "github"}), _hex("x-hub-signature-256", "sha256="), _nothing),
    "shopify": Scheme(_taken("webhook", {"scheme": "shopify"}), _base64("x-shopify-hmac-sha256"), _nothing),
    "typeform": Scheme(_taken("typeform"), _base64("typeform-signature", "sha256="), _nothing),
    "tally": Scheme(_taken("tally"), _base64("tally-signature"), _nothing),
    "telegram": Scheme(
        _taken("telegram", {"chat": "-100123"}, {"token": "x"}),
        _token("x-telegram-bot-api-secret-token"),
        _of("x-telegram-bot-api-secret-token"),
        body=False,
    ),
    "token": Scheme(
        _taken("webhook", {"scheme": "token", "header": "Authorization", "prefix": "Bearer "}),
        _token("authorization", "Bearer "),
        lambda head: head["authorization"].removeprefix("Bearer ").strip(),
        body=False,
    ),
    "toss": Scheme(_door, _path, lambda head: head["path"], body=False),
}


def _signed(scheme: Scheme, chance: random.Random, number: int, secret: str) -> Sent:
    body = json.dumps({"email": f"x{number}@example.com", "what": "x" * chance.choice([1, 20, 300])}).encode()
    return scheme.sign(secret, f"msg-{number}", datetime.now(UTC), body), body


def _text(text: str, chance: random.Random, other: str) -> str:
    at = chance.randrange(len(text) + 1)
    match chance.randrange(8):
        case 0:
            return text[:at] + chance.choice(ODD) + text[at:]
        case 1:
            return text[:at] + text[at + 1 :]
        case 2:
            return text[:at] + chance.choice(string.printable) + text[at + 1 :]
        case 3:
            return text.swapcase()
        case 4:
            return f"{text} {other}" if chance.random() < 0.5 else f"{other} {text}"
        case 5:
            return other
        case 6:
            return text[::-1]
        case _:
            return chance.choice(ODD)


def _body(raw: bytes, chance: random.Random, other: bytes) -> bytes:
    at = chance.randrange(len(raw) + 1)
    made = [raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :], raw[:at], raw + b" ", b" " + raw, raw * 2,
            b"", other, raw + other, raw.replace(b"x", b"y"), b"\xef\xbb\xbf" + raw,
            raw[:at] + b"\x00" + raw[at:]]  # fmt: skip
    return chance.choice(made)


def _later(text: str, chance: random.Random) -> str:
    """Another time in the place of the one that stands there."""
    off, end = chance.choice([-301, -299, -1, 1, 299, 301, 10**9]), chance.choice(["", ".0", ".9", " ", "e0"])
    return re.sub(r"\b\d{10}\b", lambda found: f"{int(found[0]) + off}{end}", text)


def _altered(one: Sent, other: Sent, chance: random.Random) -> Sent:
    """One signed webhook, altered in one to three places; the other lends its parts."""
    headers, raw = dict(one[0]), one[1]
    names = [name for name in one[0] if name != "content-type"]
    for _ in range(chance.choice([1, 1, 2, 3])):
        name = chance.choice(names)
        match chance.randrange(7):
            case 0:
                headers.pop(name, None)
            case 1:
                headers[name.upper()] = other[0][name]
            case 2:
                headers |= {name: _later(value, chance) for name, value in headers.items()}
            case 3 | 4:
                headers[name] = _text(headers.get(name, ""), chance, other[0][name])
            case _:
                raw = _body(raw, chance, other[1])
    return headers, raw


def _accepted(take: Take, sent: Sent) -> bool:
    """Whether the connector takes it; any fault but its own is a failure of this test."""
    try:
        take(*sent)
    except Forged:
        return False
    except Odd:  # rightly signed, and of a strange shape: that goes to quarantine
        return True
    return True


def test_no_scheme_is_left_out() -> None:
    heard = {name for name in names() if find(name).signed or find(name).confirms}
    assert heard - {"webhook"} == SCHEMES.keys() - set(get_args(Webhook.model_fields["scheme"].annotation))
    assert set(get_args(Webhook.model_fields["scheme"].annotation)) < SCHEMES.keys()


@pytest.mark.parametrize("name", SCHEMES)
def test_what_is_accepted_was_signed_as_it_is(name: str) -> None:
    scheme, chance, rounds = SCHEMES[name], random.Random(f"{name} {ROUNDS}"), ROUNDS // len(SCHEMES)
    accepted = signed_by_us = 0
    for number in range(rounds):
        secret = chance.choice([*SECRETS, STRANGE])
        one = _signed(scheme, chance, number, secret)
        sent = _altered(one, _signed(scheme, chance, number + 1_000_000_000, STRANGE), chance)
        signed_by_us += secret != STRANGE
        if _accepted(scheme.take, sent):
            accepted += 1
            head = {name.lower(): value for name, value in sent[0].items()}
            assert secret != STRANGE
            assert scheme.vouches(head) == scheme.vouches(one[0]), sent
            assert sent[1] == one[1] or not scheme.body, sent
    assert 0 < accepted < signed_by_us * (1 / 2 if scheme.body else 3 / 4)
    print(f"{name}: {rounds} altered webhooks, {accepted} of them accepted with all that was signed untouched")


@pytest.mark.parametrize("name", [name for name, scheme in SCHEMES.items() if scheme.timed])
@pytest.mark.parametrize("change", [timedelta(seconds=-330), timedelta(seconds=330), timedelta(days=-400)])
def test_an_old_or_early_signature_is_refused(name: str, change: timedelta) -> None:
    scheme, raw = SCHEMES[name], b'{"a": 1}'
    for secret in SECRETS:
        assert not _accepted(scheme.take, (scheme.sign(secret, "msg", datetime.now(UTC) + change, raw), raw))
        assert _accepted(scheme.take, (scheme.sign(secret, "msg", datetime.now(UTC), raw), raw))
