"""Solapi: what it answers to one message that it took, and to a list of what was sent."""

from typing import Any

SETTINGS: dict[str, Any] = {"sender": "02-555-0101", "kakao_channel": "KA01PF210101000000000000000001"}
SECRETS = {"api_key": "NCSAYU7YDBXYORXC", "api_secret": "QPJ1NVYWCBGTXZ3L0R2MH5DK8S4E6FUA"}
ACTIONS: dict[str, dict[str, Any]] = {
    "send": {
        "medium": "alimtalk",
        "to": "+821033334444",
        "text": "김하나님, 예약이 확정되었습니다.",
        "message": "trial_confirm",
        "template": "KA01TP",
        "values": {"이름": "김하나"},
    },
    "find": {},
    "balance": {},
}
_MESSAGE: dict[str, Any] = {
    "messageId": "M4V20261120163506CQKNPHTPCX4P5E1",
    "groupId": "G4V20261120163506ABCDEFGHIJKLMN1",
    "accountId": "24010100001234",
    "to": "01033334444",
    "from": "025550101",
    "type": "ATA",
    "country": "82",
    "status": "COMPLETE",
    "statusCode": "4000",
    "customFields": {"digilog": "case-1/step"},
    "dateCreated": "2026-11-20T07:35:06.000Z",
    "dateUpdated": "2026-11-20T07:35:10.000Z",
}
_COUNT = {
    "total": 1, "sentTotal": 0, "sentFailed": 0, "sentSuccess": 0, "sentPending": 0, "sentReplacement": 0,
    "refund": 0, "registeredFailed": 0, "registeredSuccess": 1,
}  # fmt: skip
_CASH = {"requested": 0, "replacement": 0, "refund": 0, "sum": 0}
TAKEN: dict[str, Any] = {
    "failedMessageList": [],
    "messageList": [
        {
            "messageId": _MESSAGE["messageId"],
            "statusCode": "2000",
            "statusMessage": "정상 접수(이통사로 접수 예정)",
            "customFields": {"digilog": "case-1/step"},
        }
    ],
    "groupInfo": {
        "count": _COUNT, "countForCharge": {"ata": {"82": 1}}, "balance": _CASH, "point": _CASH,
        "app": {"profit": {}, "appId": None}, "log": [], "status": "SENDING", "allowDuplicates": False,
        "isRefunded": False, "accountId": "24010100001234", "masterAccountId": None, "apiVersion": "4",
        "groupId": _MESSAGE["groupId"], "price": {"82": {"ata": 13}},
        "dateCreated": "2026-11-20T07:35:06.000Z", "dateUpdated": "2026-11-20T07:35:06.000Z",
    },
}  # fmt: skip
LISTED: dict[str, Any] = {
    "startKey": None,
    "nextKey": None,
    "limit": 500,
    "messageList": {_MESSAGE["messageId"]: _MESSAGE},
}
GOOD: dict[str, Any] = {
    "POST /messages/v4/send-many/detail": (200, TAKEN),
    "GET /messages/v4/list": (200, LISTED),
    "GET /cash/v1/balance": (200, {"balance": 12_340, "point": 0}),
}
EVENTS: list[Any] = []
