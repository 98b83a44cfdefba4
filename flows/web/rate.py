"""How often one address may send a form."""

import time
from collections import OrderedDict, deque

_WINDOW = 60.0  # seconds
_ADDRESSES = 10_000  # remembered at once; the longest silent is forgotten first


class Rate:
    """At most `a_minute` for each address."""

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        now = time.monotonic()
        times = self._seen.setdefault(address, deque())
        self._seen.move_to_end(address)
        if len(self._seen) > _ADDRESSES:
            self._seen.popitem(last=False)
        while times and times[0] < now - _WINDOW:
            times.popleft()
        if len(times) >= self._a_minute:
            return False
        times.append(now)
        return True
