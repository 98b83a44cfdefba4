"""JSON Schema of each file that people write, so that an editor completes words and marks what is unknown.

An editor sees less than `digilog check`: no names of other files, no types of expressions. What it refuses, the check
refuses too.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from connectors import registry
from flows.playbook import metrics, model, written
from flows.playbook.check import CANVAS, COMPANY, MESSAGES, METRICS, Checked
from flows.playbook.hours import Hours
from flows.playbook.meanings import MEANINGS
from flows.playbook.problem import Problem
from flows.playbook.services import BUILT_IN
from flows.playbook.text import texts

# what is written without quotes: an editor takes `no` or 12 for something else than text, digilog does not
WORD: JsonSchemaValue = {"type": ["string", "number", "boolean", "null"]}
YES_NO: JsonSchemaValue = {"enum": [True, False, "yes", "no", "true", "false", "on", "off"]}
NUMBER: JsonSchemaValue = {"type": ["number", "string"], "pattern": r"^\s*[-+]?[\d_.,eE+-]+\s*$"}
KINDS: Mapping[str, tuple[str | None, Any]] = {
    "playbook": (None, model.Playbook),
    "company": (COMPANY, model.Company),
    "canvas": (CANVAS, model.Canvas),
    "metrics": (METRICS, metrics.Metrics),
    "messages": (MESSAGES, dict[written.Name, model.MessageText]),
    "tests": ("tests/*.yaml", model.TestFile),
}


def schema(kind: str) -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a kind of file, one of `KINDS`."""
    made = TypeAdapter(KINDS[kind][1]).json_schema(by_alias=True, schema_generator=_Written)
    made["title"] = f"digilog: {kind}"
    return made


def settings(folder: str, playbooks: Iterable[str], schemas: str) -> dict[str, dict[str, list[str]]]:
    """What VS Code is told: which schema is for which file; all paths from the workspace's folder."""
    found = {f"{schemas}/{kind}.json": [f"{folder}/{name}"] for kind, (name, _) in KINDS.items() if name is not None}
    named = [f"{folder}/{name}" for name in playbooks]
    return {"yaml.schemas": {f"{schemas}/playbook.json": named, **found}}


def as_json(checked: Checked) -> str:
    """What `check` found, for a program: lines and columns count from 1."""
    said = {
        "ok": checked.book is not None,
        "problems": [_told(one) for one in checked.problems],
        "notices": [_told(one) for one in checked.notices],
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def _told(problem: Problem) -> dict[str, str | int]:
    message, hint = problem.parts
    place: dict[str, str | int] = {"file": problem.path, "line": problem.line, "column": problem.column}
    return {**place, "message": message, "hint": hint}


class _Written(GenerateJsonSchema):
    """As people write it: everything is text until digilog types it."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        if "pattern" in schema:
            return {"type": "string", "pattern": str(schema["pattern"])}
        return dict(WORD)

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:  # noqa: ARG002
        return dict(YES_NO)

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:  # noqa: ARG002
        return dict(NUMBER)

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:  # noqa: ARG002
        return dict(NUMBER)

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {"type": "string"}

    time_schema = datetime_schema = date_schema  # type: ignore[assignment]

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:  # noqa: ARG002
        return dict(WORD)

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        return {**made, "additionalProperties": False} if "patternProperties" in made else made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        name = schema["cls"].__name__
        if schema["cls"] is model.ConnectionEntry:
            return _connection()
        made.pop("description", None)
        made.pop("title", None)
        for word in ("text", "version") if schema["cls"] is model.Playbook else ():
            made["properties"].pop(word)
        for word, inner in made["properties"].items():
            inner.pop("title", None)
            if said := MEANINGS.get(name, {}).get(word):
                inner["description"] = said
        return made

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        read = schema["function"]["function"]
        if read is texts:
            return {"type": "object"}
        if read == Hours.parse:
            return {"type": "object", "additionalProperties": {"anyOf": [dict(WORD), {"type": "array"}]}}
        shorter = _SHORTER.get(read)
        return {"anyOf": [shorter, inner]} if shorter else inner


# what else may be written in the place of the whole
_SHORTER: Mapping[Any, JsonSchemaValue] = {
    model._choices: {"type": "array", "items": dict(WORD)},
    model._by: dict(WORD),
    model._case: dict(WORD),
    metrics._targets: {"type": "object", "additionalProperties": {"type": "string"}},
}


def _connection() -> JsonSchemaValue:
    """The connectors that are installed, each with its own settings; secrets are refused, as by the check."""
    names = [name for name in registry.names() if name not in BUILT_IN]
    return {
        "type": "object",
        "required": ["connector"],
        "properties": {"connector": {"enum": names, "description": MEANINGS["ConnectionEntry"]["connector"]}},
        "allOf": [
            {
                "if": {"properties": {"connector": {"const": name}}, "required": ["connector"]},
                "then": _settings_of(name),
            }
            for name in names
        ],
    }


def _settings_of(connector: str) -> JsonSchemaValue:
    found, said = registry.find(connector), MEANINGS["ConnectionEntry"]
    words = [word for word in found.model_fields if word not in found.secrets()]
    ours = [word for word in model.ConnectionEntry.model_fields if word != "settings"]
    properties = {word: {"description": said[word]} if word in said else {} for word in [*ours, *words]}
    return {"properties": properties, "additionalProperties": False}
