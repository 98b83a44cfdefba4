"""What a service may make of a fault otherwise than the menu says: each line with its reason."""

from tests.faults.calls import Call
from tests.faults.menu import WELL, Fault, Outcome

# POST requests that only ask: "service METHOD /path"
QUERIES: frozenset[str] = frozenset()

# Any body is taken as it is: what a company's own service answers nobody knows.
ANY_BODY = {"web"}

# What else may come of a fault: (service, "METHOD /path" or "", fault) > outcomes
MEANT: dict[tuple[str, str, str], set[Outcome]] = {
    ("web", "DELETE /members/1", "404"): {WELL},  # gone already is gone
}


def is_query(call: Call, what: str) -> bool:
    return f"{call.service} {what}" in QUERIES


def allowed(call: Call, what: str, fault: Fault, usual: frozenset[Outcome]) -> frozenset[Outcome]:
    """The outcomes that are right for a fault of this request."""
    meant = MEANT.get((call.service, what, fault.name), MEANT.get((call.service, "", fault.name)))
    if meant is not None:
        return frozenset(meant)
    if fault.body and call.service in ANY_BODY:
        return usual | {WELL}
    return usual
