"""Which names a step may use, what kind of value each holds, and which may be missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from flows.playbook.kinds import ANY, Kind, Type
from flows.playbook.model import EXCHANGES, Book, FormField, Playbook, Step
from flows.playbook.problem import nearest
from flows.playbook.services import action_of

_KINDS: Mapping[str, Kind] = {
    "text": "text", "phone": "text", "email": "text", "choice": "text", "person": "text",
    "integer": "number", "number": "number", "money": "number",
    "date": "date", "time": "time", "datetime": "datetime", "yesno": "yesno", "consent": "yesno",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """One name: its type, whether its value may be missing, and the `when` of the step it comes from."""

    type: Type
    optional: bool = False
    when: str | None = None
    person: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """Names in reach at one point of a playbook; `later` maps names out of reach to the step that brings them."""

    names: Mapping[str, Known]
    later: Mapping[str, str] = field(default_factory=dict)

    def find(self, path: str) -> Known | None:
        if path in self.names:
            return self.names[path]
        head = path
        while "." in head:  # below a result whose shape is not known
            head = head.rpartition(".")[0]
            if (found := self.names.get(head)) and found.type == ANY:
                return found
        return None

    def type(self, path: str) -> Type | None:
        found = self.find(path)
        return found.type if found else None

    def unknown(self, path: str) -> str | None:
        """Why a name cannot be used here, or None if it can."""
        if self.find(path):
            return None
        head, dot, _ = path.partition(".")
        if head == "reply":
            return "reply is known only in where: of an or:, which says what came in"
        if path in self.later or (dot and head in self.later):
            step = self.later.get(path) or self.later[head]
            return f"{path} is not known yet: it comes later, in step {step}"
        return f"{path} is not known here{nearest(path, self.names)}"


def scopes(playbook: Playbook, book: Book) -> list[tuple[Scope, Scope]]:
    """For each step: what it may use, and the same with its own answers and result."""
    names = dict(_always(book, periodic=playbook.start.schedule is not None))
    names |= {name: _of_field(one) for name, one in playbook.fields.items()}
    brought = [dict(_brought(step, book)) for step in playbook.steps]
    found: list[tuple[Scope, Scope]] = []
    for number, step in enumerate(playbook.steps):
        later = {
            name: after.id
            for after, new in zip(playbook.steps[number:], brought[number:], strict=True)
            for name in (after.id, *new)
        }
        before = Scope(dict(names), later)
        names |= {name: one if step.when is None else _under(one, step) for name, one in brought[number].items()}
        own = dict(names) | brought[number]
        found.append((before, Scope(own, {name: id for name, id in later.items() if id != step.id})))
    return found


def everything(playbook: Playbook, book: Book) -> Scope:
    """All names of a playbook: a stop is asked before every step, and what is missing is false."""
    if not playbook.steps:
        return Scope({})
    last = scopes(playbook, book)[-1][1]
    return Scope(last.names)


def with_item(scope: Scope) -> Scope:
    """The same names, and the item that `for_each` is at."""
    return Scope({**scope.names, "item": Known(ANY)}, scope.later)


def with_reply(scope: Scope) -> Scope:
    """The same names, and what an event of `or` brings."""
    return Scope({**scope.names, "reply": Known(ANY)}, scope.later)


def at_start(playbook: Playbook, book: Book) -> Scope:
    """What the condition of a start may use."""
    names = dict(_always(book, periodic=playbook.start.schedule is not None))
    other = book.playbooks.get((playbook.start.step or "").partition(".")[0])
    if other is not None and other is not playbook:
        names |= everything(other, book).names
    return Scope(names | {name: _of_field(one) for name, one in playbook.fields.items()})


def _under(known: Known, step: Step) -> Known:
    return Known(known.type, known.optional, step.when.source if step.when else None, known.person)


def _always(book: Book, *, periodic: bool) -> Iterator[tuple[str, Known]]:
    yield "case.id", Known(Type("text"))
    yield "case.opened", Known(Type("datetime"))
    yield "today", Known(Type("date"))
    yield "now", Known(Type("datetime"))
    yield "party.name", Known(Type("text"))
    yield "party.stage", Known(Type("text", frozenset(book.canvas.stages)))
    kinds = {*EXCHANGES, *book.canvas.kinds}
    for kind in kinds | {kind.partition("_")[0] for kind in kinds}:
        yield f"party.has.{kind}", Known(Type("number"))
        yield f"party.ends.{kind}", Known(Type("date"))
        yield f"party.left.{kind}", Known(Type("number"))
    if periodic:
        yield "period.date", Known(Type("date"))
        yield "period.previous", Known(Type("date"))


def _of_field(one: FormField) -> Known:
    choices = frozenset(one.choices) if one.type == "choice" else None
    optional = not one.required and one.default is None and one.type != "consent"
    return Known(Type(_KINDS[one.type], choices), optional, person=one.type == "person")


def _brought(step: Step, book: Book) -> Iterator[tuple[str, Known]]:
    """What a step brings: answers of people, the result of an action, or what a wait saw."""
    if step.wait is not None:
        yield f"{step.id}.happened", Known(Type("yesno"))
        yield f"{step.id}.event", Known(ANY, optional=True)
    if step.evidence is not None:
        yield f"{step.id}.evidence", Known(Type("text"))
    form = step.form or (step.fallback.form if step.fallback else {})
    for name, one in form.items():
        yield f"{step.id}.{name}", _of_field(one)
    if step.use and step.by and step.by.machine:
        try:
            result = action_of(book.company, step.use).result
        except ValueError:
            yield step.id, Known(ANY)  # said elsewhere
        else:
            yield from _of_result(step.id, result) if step.for_each is None else _of_items(step.id)


def _of_items(id: str) -> Iterator[tuple[str, Known]]:
    """What is known of an action that was done for each item: how many, and the result of each."""
    yield f"{id}.count", Known(Type("number"))
    yield f"{id}.results", Known(Type("list"))


def _of_result(path: str, annotation: Any, *, optional: bool = False) -> Iterator[tuple[str, Known]]:
    annotation, empty = _bare(annotation)
    optional = optional or empty
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, one in annotation.model_fields.items():
            yield from _of_result(f"{path}.{name}", one.annotation, optional=optional)
        return
    yield path, Known(_of_annotation(annotation), optional)


def _of_annotation(annotation: Any) -> Type:
    if get_origin(annotation) in {list, tuple, set, frozenset} or annotation in {list, tuple}:
        return Type("list")
    if not isinstance(annotation, type):
        return ANY
    if issubclass(annotation, bool):
        return Type("yesno")
    kinds: tuple[tuple[type, Kind], ...] = (
        (str, "text"), (int, "number"), (float, "number"), (Decimal, "number"),
        (datetime, "datetime"), (date, "date"), (time, "time"),
    )  # fmt: skip
    return next((Type(kind) for python, kind in kinds if issubclass(annotation, python)), ANY)


def _bare(annotation: Any) -> tuple[Any, bool]:
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        rest = [one for one in get_args(annotation) if one is not type(None)]
        empty = len(rest) < len(get_args(annotation))
        return (_bare(rest[0])[0] if len(rest) == 1 else Any), empty
    return annotation, False
