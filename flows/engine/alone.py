"""The services of a playbook's test, as built-in actions find them: they say what the test says."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import PrivateAttr

from connectors.base import Connector
from connectors.errors import ConnectorError, NotConnected, Rejected, Unavailable, Uncertain
from flows.engine.world import BUILT_IN, World

ERRORS: Mapping[str, type[ConnectorError]] = {
    "not_connected": NotConnected, "rejected": Rejected, "unavailable": Unavailable, "uncertain": Uncertain,
}  # fmt: skip
LATER = 86_400.0  # seconds


class _Pinned(Connector):
    """A service that says what the test says."""

    _answers: Mapping[str, Any] = PrivateAttr(default_factory=dict)

    def call(
        self, name: str, arguments: Mapping[str, object], *, key: str | None = None, call: object | None = None
    ) -> object:
        del arguments, key, call
        found = self._answers.get(f"{self.name}.{name}")
        if found == "unavailable":  # not for a moment: nobody waits in a test
            raise Unavailable("as the test says", retry_after=LATER, connection=self.name)
        if isinstance(found, str) and found in ERRORS:
            raise ERRORS[found]("as the test says", connection=self.name)
        if found is None:
            raise Rejected("a test reaches no service", connection=self.name)
        return found


class Alone(World):
    """The world as built-ins find it: services say what the test says, and no file of a home is read."""

    said: Mapping[str, Any] = MappingProxyType({})

    def connection(self, name: str) -> Connector:
        if name in BUILT_IN:
            return super().connection(name)
        made = _Pinned()
        made._name, made._answers = name, self.said
        return made
