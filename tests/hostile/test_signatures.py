"""Every scheme of signatures against altered webhooks: what is accepted is to the byte what somebody signed."""

import json
import math
import os
import random
import string
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from pydantic import SecretStr

from connectors.errors import Forged, Odd
from connectors.forms.webhook import Webhook
from connectors.signatures import sign_standard

SOAK = min(1.0, float(os.environ.get("DIGILOG_SOAK", "0")))  # 1 and more: at length; 0.1: a tenth of it
ROUNDS = int(800_000 * SOAK) or 20_000  # the door itself takes the rest: see test_inbox
SECRETS = ["whsec_b25lIHNlY3JldCBvZiBvdXJzLCBub3RoaW5nIGVsc2U=", "whsec_dGhlIG90aGVyIG9uZSwgd2hpbGUgdGhleSByb3RhdGU="]
STRANGE = "whsec_c3RyYW5nZXJzIG93biBzZWNyZXQsIG5vdCBvdXJz"
SCHEMES = {"standard": sign_standard}

Headers = dict[str, str]
Sent = tuple[Headers, bytes]
ODD = ["", " ", "\x00", "\n", ",", ".", "v1,", "v1a,", "v2,", "=", "+", "-", "_", "é", "\ud800", "１", "1e9", "nan",
       "inf", "0", "-1", "A" * 5_000, "v1," + "A" * 44, "\u202e"]  # fmt: skip


def _signed(chance: random.Random, number: int, secret: str) -> Sent:
    body = json.dumps({"email": f"x{number}@example.com", "what": "x" * chance.choice([1, 20, 300])}).encode()
    return sign_standard(secret, f"msg-{number}", datetime.now(UTC), body), body


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


def _altered(one: Sent, other: Sent, chance: random.Random) -> Sent:
    """One signed webhook, altered in one to three places; the other lends its parts."""
    headers, raw = dict(one[0]), one[1]
    for _ in range(chance.choice([1, 1, 2, 3])):
        name = chance.choice(["webhook-id", "webhook-timestamp", "webhook-signature"])
        match chance.randrange(7):
            case 0:
                headers.pop(name, None)
            case 1:
                headers[name.upper()] = other[0][name]
            case 2:
                moment = int(one[0]["webhook-timestamp"]) + chance.choice([-301, -299, -1, 1, 299, 301, 10**9])
                headers["webhook-timestamp"] = f"{moment}{chance.choice(['', '.0', '.9', ' ', 'e0'])}"
            case 3 | 4:
                headers[name] = _text(headers.get(name, ""), chance, other[0][name])
            case _:
                raw = _body(raw, chance, other[1])
    return headers, raw


def _accepted(hook: Webhook, sent: Sent) -> bool:
    """Whether the connector takes it; any fault but its own three is a failure of this test."""
    try:
        hook.receive(*sent)
    except Forged:
        return False
    except Odd:  # rightly signed, and of a strange shape: that goes to quarantine
        return True
    return True


@pytest.mark.parametrize("scheme", get_args(Webhook.model_fields["scheme"].annotation))
def test_what_is_accepted_was_signed_as_it_is(scheme: str) -> None:
    sign = SCHEMES[scheme]  # a new scheme must come in here, and is attacked from then on
    assert sign is sign_standard
    hook = Webhook(scheme="standard", signing_secrets=[SecretStr(one) for one in SECRETS])
    chance = random.Random(ROUNDS)
    accepted = signed_by_us = 0
    for number in range(ROUNDS):
        secret = chance.choice([*SECRETS, STRANGE])
        one, other = _signed(chance, number, secret), _signed(chance, number + 1_000_000_000, STRANGE)
        sent = _altered(one, other, chance)
        signed_by_us += secret != STRANGE
        if _accepted(hook, sent):
            accepted += 1
            head = {name.lower(): value for name, value in sent[0].items()}
            assert secret != STRANGE
            assert (head["webhook-id"], sent[1]) == (one[0]["webhook-id"], one[1]), sent
            assert math.floor(float(head["webhook-timestamp"])) == int(one[0]["webhook-timestamp"]), sent
    assert 0 < accepted < signed_by_us / 2
    print(f"{scheme}: {ROUNDS} altered webhooks, {accepted} of them accepted with all that was signed untouched")


@pytest.mark.parametrize("change", [timedelta(seconds=-330), timedelta(seconds=330), timedelta(days=-400)])
def test_an_old_or_early_signature_is_refused(change: timedelta) -> None:
    raw, secret = b'{"a": 1}', SECRETS[0]
    hook = Webhook(scheme="standard", signing_secrets=[SecretStr(secret)])
    assert not _accepted(hook, (sign_standard(secret, "msg", datetime.now(UTC) + change, raw), raw))
    assert _accepted(hook, (sign_standard(secret, "msg", datetime.now(UTC), raw), raw))
