"""What a service means by an answer otherwise than the menu says, each line with its reason."""

from connectors.errors import NotConnected, Rejected, Unavailable
from tests.faults.calls import Call
from tests.faults.menu import WELL, Fault, Outcome

# POST requests of a writing action that only ask: "service METHOD /path"
QUERIES: frozenset[str] = frozenset()

# Any body of a 2xx is taken as it is.
ANY_BODY = {
    ("web", ""),  # what a company's own service answers nobody knows
    ("chat_webhook", ""),  # four chats, four answers: "ok", nothing, a page's text; a 2xx alone says it was taken
    ("toss", "probe"),  # wants a list, and the right answer is an empty one
}

# What comes of a fault: (service, the action or "", fault) > outcomes
MEANT: dict[tuple[str, str, str], set[Outcome]] = {
    ("web", "delete", "404"): {WELL},  # gone already is gone
    ("chat_webhook", "", "403"): {NotConnected},  # the secret address was withdrawn
    ("chat_webhook", "", "404"): {NotConnected},
    ("google_forms", "poll", "an empty object"): {WELL},  # Google leaves out what is empty: nobody has answered
    ("google_forms", "poll", "another object"): {WELL, Rejected},
    ("google_forms", "", "403"): {NotConnected},  # not shared with the account
    ("google_forms", "", "404"): {NotConnected},  # nor does Google then say that it exists
    ("ga4", "", "403"): {NotConnected},
    ("ga4", "", "404"): {NotConnected},
    ("google_sheets", "", "403"): {NotConnected},
    ("google_sheets", "", "404"): {NotConnected},
    ("naver_searchad", "", "403"): {NotConnected},  # the key, or the customer's number beside it
    ("naver_searchad", "", "an empty list"): {WELL, Rejected},  # an account without campaigns
    ("search_console", "", "403"): {NotConnected},
    ("search_console", "", "404"): {NotConnected},
    ("solapi", "", "403"): {NotConnected},  # the key is not active, or not from this address
    ("stripe", "", "403"): {NotConnected},  # a restricted key without the right
    ("telegram", "", "404"): {NotConnected},  # the token stands in the address: no such bot
}


LOGIN = "POST /token"
NO_TOKEN: frozenset[Outcome] = frozenset({Unavailable, NotConnected, Rejected})  # the call itself never left


def is_query(call: Call, what: str) -> bool:
    return f"{call.service} {what}" in QUERIES


def allowed(call: Call, what: str, fault: Fault, usual: frozenset[Outcome]) -> frozenset[Outcome]:
    """The outcomes that are right for a fault of the request `what` of this call."""
    if what == LOGIN:
        return NO_TOKEN | usual | ({WELL} if fault.body else set())  # google-auth takes what holds a token
    for action in (call.action, ""):
        if (call.service, action, fault.name) in MEANT:
            return frozenset(MEANT[call.service, action, fault.name])
    any_body = {(call.service, call.action), (call.service, "")} & ANY_BODY
    return usual | {WELL} if fault.body and any_body else usual
