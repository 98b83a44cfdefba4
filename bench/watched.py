"""`python -m bench.watched web|engine FILE`: runs that process, and writes down what its parts cost of the processor.

Each part is a function that is timed by the clock of its thread, without the parts that it calls; waiting counts for
nothing. SIGUSR1 lets it forget what was before.
"""

import importlib
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

REST = "the rest: waking, threads, event loop"
COMMON = {
    "flows.store.prepared:_Compiled.execute": "SQL statements",
    "sqlalchemy.engine.default:DefaultDialect.do_commit": "commits, with their writing to the disk",
    "sqlalchemy.engine.base:Connection.begin": "beginning transactions",
    "sqlalchemy.engine.base:Connection.execute": "statements that are not prepared",
    "flows.store.data:dump": "fields and results as JSON",
    "flows.store.data:load": "fields and results as JSON",
}
PARTS = {
    "web": {
        "flows.web.head:BoundedHead.data_received": "uvicorn: reading a request",
        "flows.web.inbox:_verified": "connector: signature and body",
        "flows.web.writer:Writer._commit": "writing in groups",
    },
    "engine": {
        "flows.engine.engine:Engine.turn": "turns: what is due, and what comes of it",
        "flows.engine.events:take": "deciding an event",
        "flows.engine.advance:advance": "moving a case on",
        "flows.engine.effects:take": "keeping an answer",
        "flows.engine.effects:mark_sending": "the door of effects",
        "flows.engine.calls:perform": "handing a call to its connector",
        "connectors.http:Http.send": "the call: httpx, httpcore, h11",
        "flows.playbook.text:render_all": "texts",
        "flows.playbook.expression:Expression.evaluate": "conditions",
        "flows.playbook.form:typed": "fields",
    },
}


class Watch:
    """What the parts have cost so far, in seconds, and how often each kind of statement was executed."""

    def __init__(self) -> None:
        self._own = threading.local()
        self.forget()

    def forget(self, *_: object) -> None:
        self.spent: Counter[str] = Counter()
        self.statements: Counter[str] = Counter()
        self._began = time.process_time()

    def put(self, place: str, part: str) -> None:
        """Time one function from now on."""
        module, _, path = place.partition(":")
        at: Any = importlib.import_module(module)
        *owners, name = path.split(".")
        for owner in owners:
            at = getattr(at, owner)
        known = getattr(at, name)
        timed = self._timed(known, part)
        setattr(at, name, timed)
        for other in list(sys.modules.values()):  # where it was imported by its name
            if vars(other).get(name) is known:
                setattr(other, name, timed)

    def connected(self, raw: Any, _record: object) -> None:
        raw.set_trace_callback(lambda sql: self.statements.update([sql.lstrip()[:6].upper()]))

    def told(self) -> str:
        rest = time.process_time() - self._began - sum(self.spent.values())
        return json.dumps({"spent": {**self.spent, REST: rest}, "statements": self.statements})

    def _timed(self, do: Callable[..., Any], part: str) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            within, began = getattr(self._own, "within", 0.0), time.thread_time()
            self._own.within = 0.0
            try:
                return do(*given, **named)
            finally:
                took = time.thread_time() - began
                self.spent[part] += took - self._own.within
                self._own.within = within + took

        return timed


def main() -> None:
    kind, file = sys.argv[1:]
    process, watch = importlib.import_module(f"flows.{kind}.__main__"), Watch()
    for place, part in {**COMMON, **PARTS[kind]}.items():
        watch.put(place, part)
    event.listen(Pool, "connect", watch.connected)
    signal.signal(signal.SIGUSR1, watch.forget)
    process.main()
    Path(file).write_text(watch.told(), "utf-8")


if __name__ == "__main__":
    main()
