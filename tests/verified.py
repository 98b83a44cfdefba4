"""What was verified against what, and when: written from tests marked `verifies` when DIGILOG_VERIFIED=1 is set."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[1] / "docs" / "reference" / "verified.json"
MARK = "verifies(what, peer): passes only if `connector.action` works against `peer`, which is not ours"
_KEY = "verifies"
_VERSION = re.compile(r" v?\d\S*")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARK)
    if os.environ.get("DIGILOG_VERIFIED") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Keeper(FILE), "verified-keeper")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test verifies travels with its report, from whichever process runs it."""
    for item in items:
        item.user_properties += [(_KEY, [mark.args[0], mark.kwargs["peer"]]) for mark in item.iter_markers("verifies")]


class Keeper:
    """Hears the reports of all processes, and writes once at the end what tests that passed have verified."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._claims: dict[str, list[tuple[str, str]]] = {}
        self._well: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._well[report.nodeid] = self._well.get(report.nodeid, True) and report.passed
        if report.when == "call":
            self._claims[report.nodeid] = list(_pairs(report.user_properties))

    def pytest_sessionfinish(self) -> None:
        passed = {pair for test, pairs in self._claims.items() if self._well[test] for pair in pairs}
        failed = {pair for test, pairs in self._claims.items() if not self._well[test] for pair in pairs}
        found = sorted(passed - failed)  # of a claim that several tests make, all must hold
        if found:
            self._file.write_text(merged(self._file, found, datetime.now(UTC).date().isoformat()), "utf-8")


def merged(file: Path, found: Iterable[tuple[str, str]], day: str) -> str:
    """The file's new text: `connector.action` > peer without its version > {peer, date}."""
    known: dict[str, dict[str, dict[str, str]]] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for what, peer in found:
        known.setdefault(what, {})[_VERSION.sub("", peer)] = {"peer": peer, "date": day}
    return json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _pairs(properties: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, value in properties:
        if name == _KEY:
            yield str(value[0]), str(value[1])
