"""A document typed by a model; what does not fit, in plain sentences with its place."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from flows.playbook.load import Document, Path_
from flows.playbook.problem import Misplaced, Problem, nearest

M = TypeVar("M")
ENOUGH = 100  # problems of one file that are told at once

# parts of the language that a later release brings: (what it stands in, its name)
NOT_YET: frozenset[tuple[str, str]] = frozenset()
_NEEDED = {
    "playbook": "the file's name without .yaml",
    "steps": "the work in order, each step with id and do",
    "do": "one sentence that says what is done",
    "id": "a short name in small letters, such as confirm",
    "start": "for example {event: form.submitted, connection: trial-form}",
    "hours": "for example {mon-fri: 09:00-18:00, sat: closed, sun: closed}",
    "zone": "for example Asia/Seoul",
    "outcome": "won, lost or done",
    "text": "what the customer reads",
}
_SHAPES = {
    "string_type": "a word or a sentence is expected here",
    "dict_type": "names with values are expected here, as in {name: value}",
    "mapping_type": "names with values are expected here, as in {name: value}",
    "model_type": "names with values are expected here, as in {name: value}",
    "model_attributes_type": "names with values are expected here, as in {name: value}",
    "list_type": "several are expected here, as in [one, two], or one a line behind a -",
    "tuple_type": "two are expected here, as in [start, confirm]",
    "bool_parsing": "yes or no is expected here",
    "bool_type": "yes or no is expected here",
    "int_parsing": "a whole number is expected here",
    "int_type": "a whole number is expected here",
    "decimal_parsing": "a number is expected here",
    "decimal_type": "a number is expected here",
    "zoneinfo_str": "no time zone has this name; write it as Asia/Seoul",
    "too_short": "something is missing here; add it",
    "too_long": "there is too much here; take some away",
    "string_too_short": "this is empty; write it",
}
_MOMENTS = {
    "date": "this is no date; write it as 2026-11-21",
    "datetime": "this is no date with a time; write it as 2026-11-21 21:40",
    "time": "this is no time of the day; write it as 09:30",
}


def read(document: Document, kind: type[M], at: Path_ = ()) -> tuple[M | None, list[Problem]]:
    """`document.data` at `at` as `kind`; None when it does not fit."""
    data = document.data
    for part in at:
        data = data[part]
    try:
        return TypeAdapter(kind).validate_python(data), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        wrong = [one for one in found if (*at, *_path(data, one["loc"])) not in document.empty]
        said = [_problem(document, kind, data, at, one) for one in wrong[:ENOUGH]]
        if len(wrong) > ENOUGH:
            more = f"{len(wrong) - ENOUGH} more stand in this file; correct these, and check again"
            said.append(document.problem(at, more))
        return None, said


def _problem(document: Document, kind: Any, data: Any, at: Path_, error: ErrorDetails) -> Problem:
    inside = _path(data, error["loc"])
    path = (*at, *inside)
    word = error["loc"][-1] if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            return document.problem(path, _unknown(kind, inside), key=True)
        case "missing" if isinstance(word, int):
            return document.problem(path, "two are expected here, as in [start, confirm]; add the other")
        case "missing":
            hint = f": {_NEEDED[str(word)]}" if word in _NEEDED else ""
            return document.problem(path, f"{word} is missing{hint}; add it")
        case "value_error":
            return _ours(document, path, error)
    return document.problem(path, _sentence(error), key=word == "[key]")


def _ours(document: Document, path: Path_, error: ErrorDetails) -> Problem:
    raised = error.get("ctx", {}).get("error")
    if isinstance(raised, Misplaced):
        return document.problem((*path, *raised.path), str(raised))
    return document.problem(path, str(raised) if raised is not None else "this does not fit here")


def _sentence(error: ErrorDetails) -> str:
    type_, given = error["type"], error.get("input")
    if type_ == "literal_error":
        expected = str(error.get("ctx", {}).get("expected", ""))
        words = [word.strip().strip("'") for word in expected.replace(" or ", ", ").split(",")]
        return f"{given!r} is not one of the words for this{nearest(str(given), words)}"
    if type_ == "string_pattern_mismatch":
        return f"{given!r} is no name; a name has small letters a-z, digits and _, and begins with a letter"
    if type_.startswith(("date_", "datetime_", "time_")):
        return _MOMENTS[type_.partition("_")[0]]
    return _SHAPES.get(type_, "this does not fit here; look at the manual for this word")


def _path(data: Any, loc: tuple[str | int, ...]) -> Path_:
    """The part of pydantic's location that is written in the file: it adds names of its own."""
    path: list[str | int] = []
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        if isinstance(data, Mapping) and (part in data or last):
            if part == "[key]":
                break
            path.append(part)
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            path.append(part)
            data = data[part]
    return tuple(path)


def _unknown(kind: Any, path: Path_) -> str:
    word = str(path[-1]) if path else ""
    owner = _model(kind, path[:-1])
    if owner is None:
        return f"{word} is not known here"
    if (owner.__name__, word) in NOT_YET:
        return f"not yet part of digilog: {word}; take it away"
    return f"{word} is not known here{nearest(word, _words(owner))}"


def _words(owner: type[BaseModel]) -> Iterator[str]:
    for name, field in owner.model_fields.items():
        if not field.exclude and field.alias != "":
            yield field.alias or name


def _model(kind: Any, path: Path_) -> type[BaseModel] | None:
    """The model that stands at `path`, seen through lists, mappings, options and annotations."""
    kind = _bare(kind)
    if not path:
        return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if path[0] in (name, field.alias):
                return _model(field.annotation, path[1:])
        return None
    if get_origin(kind) in {list, dict}:
        return _model(get_args(kind)[-1], path[1:])
    return None


def _bare(kind: Any) -> Any:
    while True:
        origin = get_origin(kind)
        if origin is Literal or origin in {list, dict, tuple} or origin is None:
            return kind
        if hasattr(kind, "__metadata__"):
            kind = get_args(kind)[0]
        elif origin is Union or type(None) in get_args(kind):
            kind = next(one for one in get_args(kind) if one is not type(None))
        else:
            return kind
