"""Senders that sign in their own ways: each is believed as it signs and told apart from everything else.

The signatures are made by `openssl` and by Stripe's SDK; no vendor has sent one.
"""

import base64
import json
import random
import subprocess
import time
from datetime import UTC, datetime
from hashlib import sha256

import pytest
from standardwebhooks.webhooks import Webhook as Sender

from connectors.errors import Forged, NotConnected, Odd
from connectors.forms.webhook import Webhook
from connectors.signatures import sign_standard
from tests.connectors.samples import webhook as sample

NEW, OLD, OTHER = "a new word of chance", "an old one", "somebody else's"
RAW = json.dumps({"id": 41, "buyer": {"phone": "010-3333-4444"}, "이름": "김하나"}, ensure_ascii=False).encode()
VARIABLE = "DIGILOG_CONNECTIONS__SHOP__SIGNING_SECRETS"
OWN = {"scheme": "hmac", "header": "X-Signature"}
LIST = {**OWN, "style": "list"}
TIMED = {**OWN, "encoding": "base64", "prefix": "v2=", "timestamp_header": "X-Time"}
TOKEN = {"scheme": "token", "header": "Authorization", "prefix": "Bearer "}
SVIX = base64.b64encode(b"s" * 24).decode()


def shop(settings, secrets=f"{NEW},{OLD}"):
    return Webhook.connect("shop", settings, environ={VARIABLE: secrets})


def digest(signed, secret):
    """By openssl."""
    command = ["openssl", "dgst", "-sha256", "-hmac", secret, "-binary"]
    return subprocess.run(command, input=signed, capture_output=True, check=True).stdout


def plain(name, prefix="", base=False):
    def made(raw, secret=NEW, at=None):
        del at
        found = digest(raw, secret)
        return {name: prefix + (base64.b64encode(found).decode() if base else found.hex())}

    return made


def listed(name):
    def made(raw, secret=NEW, at=None):
        at = int(time.time() if at is None else at)
        return {name: f"t={at},v1={digest(b'%d.%s' % (at, raw), secret).hex()}"}

    return made


def timed(raw, secret=NEW, at=None):
    at = int(time.time() if at is None else at)
    signature = base64.b64encode(digest(b"%d.%s" % (at, raw), secret)).decode()
    return {"X-Time": str(at), "X-Signature": f"v2={signature}"}


def github(raw, secret=NEW, at=None):
    return plain("X-Hub-Signature-256", "sha256=")(raw, secret, at) | {"X-GitHub-Delivery": "72d3162e"}


def shopify(raw, secret=NEW, at=None):
    return plain("X-Shopify-Hmac-SHA256", base=True)(raw, secret, at) | {"X-Shopify-Webhook-Id": "b54557e4"}


SIGNED = [
    (OWN, plain("X-Signature")),
    ({**OWN, "prefix": "sha1-or-so:"}, plain("X-Signature", "sha1-or-so:")),
    ({**OWN, "encoding": "base64"}, plain("X-Signature", base=True)),
    (TIMED, timed),
    (LIST, listed("X-Signature")),
    ({"scheme": "github"}, github),
    ({"scheme": "shopify"}, shopify),
    ({"scheme": "calendly"}, listed("Calendly-Webhook-Signature")),
]
NAMES = ["hmac", "prefix", "base64", "timed", "list", "github", "shopify", "calendly"]
WITH_TIME = [one for one in SIGNED if one[0] in (TIMED, LIST) or one[0]["scheme"] == "calendly"]


def refused(hook, headers, raw=RAW):
    with pytest.raises(Forged) as caught:
        hook.receive(headers, raw)
    return caught.value.connection == "shop"


@pytest.mark.parametrize(("settings", "sign"), SIGNED, ids=NAMES)
def test_any_active_secret_signs_as_the_scheme_says(settings, sign):
    for secret in (NEW, OLD):
        event = shop({**settings, "key": "id", "party": "buyer.phone"}).receive(sign(RAW, secret), RAW)
        assert (event.name, event.key, event.party) == ("webhook.received", "41", "010-3333-4444")
        assert event.payload == json.loads(RAW)


@pytest.mark.parametrize(("settings", "sign"), SIGNED, ids=NAMES)
def test_what_was_altered_or_signed_by_somebody_else_is_forged(settings, sign):
    hook, right = shop(settings), sign(RAW)
    name = next(one for one in right if "ignature" in one or "Hmac" in one)
    value = right[name]
    assert refused(hook, {})
    assert refused(hook, sign(RAW, OTHER))
    assert refused(hook, right, RAW + b" ")
    assert refused(hook, right, b"")
    for odd in ("", " ", value[:-1], value[:-1] + "!", f"{value}, {value}"[::-1], "v1", "t=,v1=", "t=1", "한글",
                "\xff\xfe", "\ud800", f"{value}\ud800", "sha256=", "a" * 10_000):  # fmt: skip
        assert refused(hook, right | {name: odd})


@pytest.mark.parametrize(("settings", "sign"), WITH_TIME)
@pytest.mark.parametrize("off", [-330, 330, -(10**9)])
def test_what_was_signed_long_ago_or_for_later_is_forged(settings, sign, off):
    assert refused(shop(settings), sign(RAW, at=time.time() + off))
    assert shop(settings).receive(sign(RAW, at=time.time() - 200), RAW)


@pytest.mark.parametrize(
    "stamp", ["", "soon", "-1", "1e9", "nan", "１７", "0x1", "9" * 13, "\ud800", " {now}", "{now}.0"]
)
def test_a_time_that_is_not_written_in_whole_seconds_is_forged(stamp):
    stamp = stamp.format(now=int(time.time()))
    signed = stamp.encode("utf-8", "surrogatepass") + b"." + RAW
    signature = digest(signed, NEW)
    assert refused(shop(LIST), {"x-signature": f"t={stamp},v1={signature.hex()}"})
    headers = {"x-time": stamp, "x-signature": f"v2={base64.b64encode(signature).decode()}"}
    assert refused(shop(TIMED), headers)


def test_of_several_signatures_in_a_list_one_is_enough_and_of_several_times_none():
    at, right = int(time.time()), listed("X-Signature")(RAW)["X-Signature"]
    more = right.replace(",v1=", f",v1={'0' * 64},v0=abc, v1=")
    assert shop(LIST).receive({"X-SIGNATURE": more}, RAW)
    for several in (f"t={at - 1},{right}", f"{right},t={at - 1}"):
        assert refused(shop(LIST), {"x-signature": several})


def test_a_signature_without_its_prefix_is_forged():
    value = github(RAW)["X-Hub-Signature-256"]
    assert refused(shop({"scheme": "github"}), {"X-Hub-Signature-256": value.removeprefix("sha256=")})
    assert refused(shop({**TOKEN, "prefix": "Token"}), {"authorization": f"Bearer {NEW}"})
    assert refused(shop(TOKEN), {"authorization": NEW})


def test_hex_may_be_written_in_capitals():
    value = plain("X-Signature")(RAW)["X-Signature"]
    assert shop(OWN).receive({"x-signature": value.upper()}, RAW)


def test_the_example_that_github_publishes_is_believed():
    """docs.github.com, Validating webhook deliveries; its body is no JSON, so after that it is odd."""
    value = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    hook = shop({"scheme": "github"}, "It's a Secret to Everybody")
    with pytest.raises(Odd, match="no JSON"):
        hook.receive({"X-Hub-Signature-256": value}, b"Hello, World!")
    assert refused(hook, {"X-Hub-Signature-256": value}, b"Hello, World?")


@pytest.mark.verifies("webhook.receive", peer="stripe 16.1.0")
def test_another_signer_of_the_same_list_is_believed():
    sign, raw = sample.EVENTS[0]
    hook = shop(sample.SETTINGS, sample.SECRETS["signing_secrets"])
    event = hook.receive(sign(raw, sample.SECRETS), raw)
    assert (event.name, event.key) == ("visit.booked", sample.PAYLOAD["payload"]["uri"])
    assert event.party == "hana@example.com"
    assert hook.read(event.name, raw) == sample.PAYLOAD


def test_svix_is_standard_webhooks_under_either_name():
    given = sign_standard(SVIX, "msg_1", datetime.now(UTC), RAW)
    assert Sender(SVIX).verify(RAW, given)
    branded = {name.replace("webhook-", "Svix-"): value for name, value in given.items()}
    hook = shop({"scheme": "svix"}, SVIX)
    assert [hook.receive(one, RAW).key for one in (given, branded)] == ["msg_1", "msg_1"]
    assert refused(hook, branded | {"Svix-Id": "msg_2"})
    assert refused(hook, given | {"svix-signature": "v1,AAAA"})
    assert refused(shop({"scheme": "standard"}, SVIX), branded)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_who_cannot_sign_brings_the_secret_itself(secret):
    hook = shop(TOKEN)
    assert hook.receive({"authorization": f"Bearer {secret}"}, RAW).key == sha256(RAW).hexdigest()
    for odd in ("", "Bearer ", f"Bearer {OTHER}", secret, f"bearer {secret}", f"Bearer {secret}x",
                f"Bearer {NEW},{OLD}", "Bearer \ud800", "Bearer 한글"):  # fmt: skip
        assert refused(hook, {"authorization": odd})
    assert refused(hook, {})


def test_the_key_is_a_path_a_header_the_vendors_header_or_the_body_itself():
    assert shop({"scheme": "github"}).receive(github(RAW), RAW).key == "72d3162e"
    assert shop({"scheme": "shopify"}).receive(shopify(RAW), RAW).key == "b54557e4"
    assert shop({"scheme": "shopify", "key": "id"}).receive(shopify(RAW), RAW).key == "41"
    other = {**OWN, "key_header": "X-Delivery"}
    assert shop(other).receive(plain("X-Signature")(RAW) | {"x-delivery": "d-7"}, RAW).key == "d-7"
    assert shop(OWN).receive(plain("X-Signature")(RAW), RAW).key == sha256(RAW).hexdigest()


@pytest.mark.parametrize("given", [{}, {"x-delivery": " "}, {"x-delivery": "x" * 300}])
def test_signed_and_without_its_key_goes_to_a_person(given):
    with pytest.raises(Odd, match="X-Delivery"):
        shop({**OWN, "key_header": "X-Delivery"}).receive(plain("X-Signature")(RAW) | given, RAW)


@pytest.mark.parametrize("raw", [b"[1]", b"", b"text", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000])
def test_signed_and_no_json_goes_to_a_person(raw):
    with pytest.raises(Odd):
        shop(OWN).receive(plain("X-Signature")(raw), raw)


@pytest.mark.parametrize("settings", [one for one, _ in SIGNED] + [TOKEN])
def test_without_a_secret_nobody_is_believed(settings):
    with pytest.raises(NotConnected, match=VARIABLE):
        shop(settings, " , ")
    with pytest.raises(NotConnected):
        Webhook(**settings, signing_secrets=[""]).receive({}, RAW)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"scheme": "hmac"}, "header: Value error, scheme hmac wants the name of the header"),
        ({"scheme": "token"}, "header: Value error, scheme token wants the name of the header"),
        ({"header": "X-Signature"}, "header: Value error, scheme standard does not take this; scheme hmac does"),
        ({"scheme": "github", "prefix": "x"}, "prefix: Value error, scheme github does not take this"),
        ({**TOKEN, "encoding": "base64"}, "encoding: Value error, scheme token does not take this"),
        ({**LIST, "prefix": "v1="}, "style: Value error, a list has no prefix"),
        ({**LIST, "timestamp_header": "X-Time"}, "timestamp_header: Value error, the time stands in the list"),
        ({**OWN, "key": "id", "key_header": "X-Id"}, "key_header: Value error, write key or key_header"),
        ({"scheme": "hmac", "header": "X Signature"}, "header: String should match pattern"),
        ({**OWN, "encoding": "base32"}, "encoding: Input should be 'hex' or 'base64'"),
        ({"scheme": "none"}, "scheme: Input should be"),
    ],
)
def test_settings_that_do_not_fit_the_scheme_are_named(settings, said):
    assert any(one.startswith(said) for one in Webhook.check_settings(settings))


@pytest.mark.parametrize("settings", [one for one, _ in SIGNED] + [TOKEN, {"scheme": "svix"}])
def test_ten_thousand_odd_headers_are_forged_and_nothing_else(settings):
    hook = shop(settings, SVIX)
    chance, names = random.Random(10_000), ["webhook-id", "webhook-timestamp", "webhook-signature", "svix-id",
        "svix-signature", "svix-timestamp", "x-signature", "X-Time", "authorization", "X-Hub-Signature-256",
        "x-shopify-hmac-sha256", "CALENDLY-webhook-signature"]  # fmt: skip
    now = str(int(time.time()))
    pieces = [
        "t=",
        "v1=",
        "v1,",
        ",",
        "=",
        now,
        "sha256=",
        "Bearer ",
        "v2=",
        "é",
        "한",
        "\ud800",
        "\x00",
        " ",
        "A" * 44,
    ]
    for _ in range(1_000):
        odd = {name: "".join(chance.choices(pieces, k=chance.randrange(6))) for name in chance.sample(names, 9)}
        with pytest.raises(Forged):
            hook.receive(odd, RAW)
