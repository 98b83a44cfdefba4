"""An address or more for each page of the board, from what a store holds, for walks over all of them."""

from collections.abc import Callable
from typing import Any

from flows.web.app import ROUTES

Asks = Callable[[str], list[Any]]  # rows of a statement
_ONE = {  # ids for a page that has a part, rather of something that is under way
    "/cases/{id}": "SELECT id FROM \"case\" ORDER BY CASE WHEN status = 'ended' THEN 1 ELSE 0 END, opened_at DESC",
    "/assignments/{id}": "SELECT id FROM assignment ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, id",
    "/playbooks/{id}": "SELECT playbook FROM version ORDER BY playbook DESC",
    "/customers/{id}": "SELECT id FROM party ORDER BY id",
    "/exchanges/{id}": "SELECT id FROM exchange ORDER BY id",
    "/outbox/{id}": "SELECT id FROM effect WHERE message IS NOT NULL ORDER BY id DESC",
    "/quarantine/{id}": "SELECT id FROM event WHERE state = 'quarantined' ORDER BY id DESC",
    "/metrics/{metric}": "SELECT metric FROM reading ORDER BY id DESC",
    "/metrics/{metric}/{day}": "SELECT metric || '/' || day FROM reading ORDER BY id DESC",
    "/connections/{name}": "SELECT 'trial-form'",
}
_ALSO = {
    "/": ("?who=all",),
    "/cases": ("?state=all", "?state=ended&playbook=letter-subscribe", "?state=failed",
               "?state=held&playbook=after-trial", "?q=%EA%B9%80", "?q=01010000", "?q=nobody"),
    "/search": ("?q=%EA%B9%80", "?q=01010000", "?q=nobody"),
    "/customers": ("?q=%EA%B9%80",),
    "/metrics": ("?month=2026-01",),
    "/outbox": ("?view=team",),
    "/quarantine": ("?view=discarded",),
}  # fmt: skip


def places(asks: Asks, *, each: int = 1, also: bool = True) -> list[str]:
    """At most `each` addresses of a page with a part; what the store holds nothing of is left out.

    Raises KeyError for a page with a part and no example above.
    """
    found: list[str] = []
    for method, path, who, _ in ROUTES:
        if method == "GET" and who != "open":
            addresses = _filled(path, asks, each)
            found += addresses
            found += [one + more for one in addresses[:1] for more in (_ALSO.get(path, ()) if also else ())]
    return found


def _filled(path: str, asks: Asks, each: int) -> list[str]:
    if "{" not in path:
        return [path]
    begin = path.partition("{")[0]
    return [f"{begin}{row[0]}" for row in asks(f"{_ONE[path]} LIMIT {each}")]
