"""Google's discovery documents as judges: what a call may ask, what it may say, and what may be answered."""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource


class Discovery:
    """One of Google's APIs, as `google-api-python-client` carries its document."""

    def __init__(self, api: str, version: str) -> None:
        folder = files("googleapiclient.discovery_cache.documents")
        self.document = json.loads(folder.joinpath(f"{api}.{version}.json").read_text(encoding="utf-8"))
        schemas = {f"urn:{name}": _schema(found) for name, found in self.document["schemas"].items()}
        self._known = Registry().with_resources(
            (name, Resource.from_contents({"$schema": "https://json-schema.org/draft/2020-12/schema", **found}))
            for name, found in schemas.items()
        )
        self._methods = dict(_methods(self.document))

    def method(self, verb: str, path: str) -> dict[str, Any]:
        """The method that a call means. Raises AssertionError when Google has none."""
        for found in self._methods.values():
            if found["httpMethod"] == verb and re.fullmatch(_pattern(found["flatPath"]), path.lstrip("/")):
                return found
        raise AssertionError(f"Google has no {verb} {path}")

    def asked(self, verb: str, target: str, body: bytes = b"") -> str:
        """Check one call: its path, each name and value of its query, its body. Returns the method's id."""
        url = urlsplit(target)
        found = self.method(verb, url.path)
        known = {**self.document["parameters"], **found.get("parameters", {})}
        given = parse_qs(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
        for name, values in given.items():
            assert name in known, f"{found['id']} takes no {name}"
            _fits(known[name], name, values)
        missing = [
            name for name, one in known.items()
            if one.get("required") and one["location"] == "query" and name not in given
        ]  # fmt: skip
        assert not missing, f"{found['id']} misses {missing}"
        if "request" in found:
            self.check(found["request"]["$ref"], json.loads(body))
        else:
            assert not body, f"{found['id']} takes no body"
        return str(found["id"])

    def answered(self, method: str, content: object) -> None:
        """Check an answer of the method with this id."""
        self.check(self._methods[method]["response"]["$ref"], content)

    def check(self, name: str, content: object) -> None:
        """Check a value against one of the document's schemas; no name may be unknown."""
        judge = Draft202012Validator({"$ref": f"urn:{name}"}, registry=self._known, format_checker=FormatChecker())
        wrong = [f"{one.json_path}: {one.message[:200]}" for one in judge.iter_errors(content)]
        assert not wrong, wrong


@cache
def discovery(api: str, version: str) -> Discovery:
    """The judge of one API; reading its document takes a while."""
    return Discovery(api, version)


def _methods(level: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    own = [(one["id"], one) for one in level.get("methods", {}).values()]
    return own + [pair for inner in level.get("resources", {}).values() for pair in _methods(inner)]


def _pattern(flat: str) -> str:
    return "".join("[^/]+?" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]+\})", flat))


def _fits(known: Mapping[str, Any], name: str, values: list[str]) -> None:
    assert known.get("repeated") or len(values) == 1, f"{name} may be given once"
    for value in values:
        match known["type"]:
            case "integer":
                assert re.fullmatch(r"-?\d+", value), f"{name}: {value} is no whole number"
            case "boolean":
                assert value in {"true", "false"}, f"{name}: {value} is neither true nor false"
        assert value in known.get("enum", [value]), f"{name}: {value} is none of {known.get('enum')}"


def _schema(found: Mapping[str, Any]) -> dict[str, Any]:
    """One of the document's schemas as JSON Schema, closed: a misspelt name is an error, as it is at Google."""
    if "$ref" in found:
        return {"$ref": f"urn:{found['$ref']}"}
    made: dict[str, Any] = {}
    if found.get("type") not in {None, "any"}:
        made["type"] = found["type"]
    if found.get("enum"):
        made["enum"] = found["enum"]
    if found.get("format") == "google-datetime":
        made["format"] = "date-time"
    if "items" in found:
        made["items"] = _schema(found["items"])
    if found.get("type") == "object":
        more = found.get("additionalProperties")
        made["properties"] = {name: _schema(one) for name, one in found.get("properties", {}).items()}
        made["additionalProperties"] = _schema(more) if more else False
    return made
