"""What each vendor answers when it refuses, as its documentation shows it, and which of the four errors that is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.errors import NotConnected, Rejected, Unavailable, Uncertain
from tests.faults.menu import CANARY, Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """The last request of an action is answered so. `unknown`: a code that no documentation shows yet."""

    service: str
    action: str
    status: int
    body: Any
    outcome: Outcome

    def __str__(self) -> str:
        return f"{self.service}.{self.action} {self.status} {str(self.body)[:60]}"


def _slack() -> Iterator[Refusal]:
    # https://docs.slack.dev/reference/methods/chat.postMessage#errors
    told: dict[str, tuple[Outcome, Outcome]] = {
        "channel_not_found": (Rejected, Rejected), "not_in_channel": (Rejected, Rejected),
        "is_archived": (Rejected, Rejected), "msg_too_long": (Rejected, Rejected),
        "something_new": (Rejected, Rejected), "invalid_auth": (NotConnected, NotConnected),
        "token_revoked": (NotConnected, NotConnected), "token_expired": (NotConnected, NotConnected),
        "account_inactive": (NotConnected, NotConnected), "missing_scope": (NotConnected, NotConnected),
        "ratelimited": (Unavailable, Unavailable), "rate_limited": (Unavailable, Unavailable),
        "fatal_error": (Unavailable, Uncertain), "internal_error": (Unavailable, Uncertain),
    }  # fmt: skip
    for error, (read, write) in told.items():
        body = {"ok": False, "error": error, "needed": CANARY, "provided": "x"}
        for action in ("send", "post", "update"):
            yield Refusal("slack", action, 200, body, write)
        yield Refusal("slack", "find", 200, body, read)
    for odd in ({"ok": False}, {"ok": "false"}, {"ok": False, "error": 7}, {"error": CANARY}, {"ok": None}):
        yield Refusal("slack", "send", 200, odd, Uncertain)
        yield Refusal("slack", "find", 200, odd, Rejected)


def _telegram() -> Iterator[Refusal]:
    # https://core.telegram.org/bots/api#making-requests and #responseparameters
    for status, outcome in ((400, Rejected), (401, NotConnected), (403, Rejected), (404, NotConnected)):
        body = {"ok": False, "error_code": status, "description": f"Bad Request: {CANARY}"}
        yield Refusal("telegram", "send", status, body, outcome)
    wait = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 7}}
    yield Refusal("telegram", "send", 429, wait, Unavailable)
    yield Refusal("telegram", "send", 429, {**wait, "parameters": {"retry_after": "soon"}}, Unavailable)
    yield Refusal("telegram", "send", 200, {"ok": False, "error_code": 500}, Uncertain)
    yield Refusal("telegram", "send", 200, {"ok": True, "result": True}, Uncertain)


def _solapi() -> Iterator[Refusal]:
    # https://developers.solapi.com/references/messages/sendManyDetail
    for code in ("ValidationError", "NotFound", "SomethingNew"):
        yield Refusal("solapi", "send", 400, {"errorCode": code, "errorMessage": CANARY}, Rejected)
    for code in ("InvalidApiKey", "SignatureDoesNotMatch"):
        yield Refusal("solapi", "send", 403, {"errorCode": code, "errorMessage": CANARY}, NotConnected)
    yield Refusal("solapi", "send", 402, {"errorCode": "NotEnoughBalance", "errorMessage": CANARY}, NotConnected)
    failed = {"failedMessageList": [{"to": "01033334444", "statusCode": "1062", "statusMessage": CANARY}]}
    yield Refusal("solapi", "send", 200, failed, Rejected)
    yield Refusal("solapi", "send", 200, {"failedMessageList": [], "messageList": []}, Uncertain)


def _stripe() -> Iterator[Refusal]:
    # https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
    told = [
        (402, "card_error", "expired_card", Rejected),
        (400, "invalid_request_error", "charge_already_refunded", Rejected),
        (400, "invalid_request_error", "something_new", Rejected), (401, "invalid_request_error", None, NotConnected),
        (403, "invalid_request_error", None, NotConnected),
        (409, "idempotency_error", "idempotency_key_in_use", Uncertain),
        (400, "idempotency_error", None, Uncertain), (429, "invalid_request_error", "rate_limit", Unavailable),
        (429, "invalid_request_error", "lock_timeout", Unavailable), (500, "api_error", None, Uncertain),
    ]  # fmt: skip
    for status, type, code, outcome in told:
        error = {"type": type, "message": CANARY} | ({"code": code} if code else {})
        yield Refusal("stripe", "refund", status, {"error": error}, outcome)


def _toss() -> Iterator[Refusal]:
    # https://docs.tosspayments.com/reference/error-codes
    told = [
        (400, "ALREADY_CANCELED_PAYMENT", Rejected), (400, "INVALID_REFUND_ACCOUNT_INFO", Rejected),
        (403, "NOT_CANCELABLE_AMOUNT", Rejected), (404, "NOT_FOUND_PAYMENT", Rejected),
        (400, "SOMETHING_NEW", Rejected),
        (401, "UNAUTHORIZED_KEY", NotConnected), (403, "FORBIDDEN_CONSECUTIVE_REQUEST", Unavailable),
        (409, "IDEMPOTENT_REQUEST_PROCESSING", Uncertain), (400, "PROVIDER_ERROR", Uncertain),
        (500, "FAILED_INTERNAL_SYSTEM_PROCESSING", Uncertain), (500, "FAILED_REFUND_PROCESS", Uncertain),
    ]  # fmt: skip
    for status, code, outcome in told:
        yield Refusal("toss", "refund", status, {"code": code, "message": CANARY}, outcome)


def _portone() -> Iterator[Refusal]:
    # the errors of cancelPayment in PortOne's OpenAPI document
    told = [
        (400, "INVALID_REQUEST", Rejected), (401, "UNAUTHORIZED", NotConnected), (403, "FORBIDDEN", NotConnected),
        (404, "PAYMENT_NOT_FOUND", Rejected), (409, "PAYMENT_ALREADY_CANCELLED", Rejected),
        (409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", Rejected), (409, "SOMETHING_NEW", Rejected),
        (409, "IDEMPOTENCY_OUTSTANDING_REQUEST", Uncertain),
        (502, "PG_PROVIDER", Uncertain),
    ]  # fmt: skip
    for status, type, outcome in told:
        yield Refusal("portone", "refund", status, {"type": type, "message": CANARY}, outcome)


def _google() -> Iterator[Refusal]:
    # https://cloud.google.com/apis/design/errors
    told = [
        (400, "INVALID_ARGUMENT", "badRequest", Rejected), (401, "UNAUTHENTICATED", "authError", NotConnected),
        (403, "PERMISSION_DENIED", "forbidden", NotConnected),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED", NotConnected),
        (403, "RESOURCE_EXHAUSTED", "rateLimitExceeded", Unavailable), (404, "NOT_FOUND", "notFound", NotConnected),
        (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", Unavailable),
        (503, "UNAVAILABLE", "backendError", Unavailable),
    ]  # fmt: skip
    for status, name, reason, outcome in told:
        error = {"code": status, "message": CANARY, "status": name, "errors": [{"reason": reason, "message": CANARY}]}
        for action in ("read", "append_rows", "upsert_rows"):
            yield Refusal("google_sheets", action, status, {"error": error}, outcome)


def _reports() -> Iterator[Refusal]:
    # https://cloud.google.com/apis/design/errors
    for service in ("ga4", "search_console"):
        told = [
            (400, "INVALID_ARGUMENT", "badRequest", Rejected), (401, "UNAUTHENTICATED", "authError", NotConnected),
            (403, "PERMISSION_DENIED", "SERVICE_DISABLED", NotConnected),
            (429, "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED", Unavailable),
        ]  # fmt: skip
        for status, name, reason, outcome in told:
            error = {"code": status, "message": CANARY, "status": name, "errors": [{"reason": reason}]}
            yield Refusal(service, "readings", status, {"error": error}, outcome)


def _instagram() -> Iterator[Refusal]:
    # https://developers.facebook.com/docs/graph-api/guides/error-handling
    told = [
        (190, NotConnected),
        (10, NotConnected),
        (4, Unavailable),
        (17, Unavailable),
        (100, Rejected),
        (7, Rejected),
    ]
    for code, outcome in told:
        error = {"message": CANARY, "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
        yield Refusal("instagram", "readings", 400, {"error": error}, outcome)
        yield Refusal("instagram", "readings", 200, {"error": error}, outcome)


def _naver() -> Iterator[Refusal]:
    # https://github.com/naver/searchad-apidoc/blob/master/NaverSA_API_Error_Code_MAP.md
    for status, code, outcome in ((400, 1002, Rejected), (403, 1018, NotConnected), (429, 429, Unavailable)):
        yield Refusal("naver_searchad", "readings", status, {"code": code, "title": CANARY}, outcome)


REFUSALS = [
    *_slack(), *_telegram(), *_solapi(), *_stripe(), *_toss(), *_portone(), *_google(), *_reports(), *_instagram(),
    *_naver(),
]  # fmt: skip
