"""What a method of a connector declares by its signature, and arguments checked against it."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from connectors.errors import Rejected

Effect = Literal["read", "inside", "repeat", "keyed", "checkable", "once", "resolver"]
F = TypeVar("F", bound=Callable[..., Any])
EFFECTS: tuple[str, ...] = get_args(Effect)
_HANDED = frozenset({"self", "key", "call"})  # handed over by the engine, never written in a playbook
_WINDOW = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument that a playbook gives."""

    name: str
    annotation: Any
    required: bool


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a connector can do, as its method declares it.

    `extra`: takes arguments of any other name too. `window`: how long the vendor drops a repeated key.
    `found_by`: the read that asks the vendor for our reference (it takes `key` alone, and brings nothing if there is
    none). `bulk`: the action that takes a list of this one's arguments and brings a list of its results; `at_once`: at
    most so many of them.
    """

    name: str
    effect: Effect
    parameters: Mapping[str, Parameter]
    result: Any
    doc: str
    takes_key: bool
    takes_call: bool
    extra: bool = False
    window: timedelta | None = None
    found_by: str | None = None
    bulk: str | None = None
    at_once: int | None = None

    @property
    def outgoing(self) -> bool:
        """Changes something outside, so it is held back unless the playbook operates."""
        return self.effect not in {"read", "inside"}


@dataclass(frozen=True, slots=True)
class _Declared:
    effect: Effect
    window: timedelta | None
    found_by: str | None
    bulk: str | None
    at_once: int | None


@overload
def action(method: F, /) -> F: ...
@overload
def action(
    *,
    effect: Effect = "read",
    window: str | None = None,
    found_by: str | None = None,
    bulk: str | None = None,
    at_once: int | None = None,
) -> Callable[[F], F]: ...


def action(
    method: Callable[..., Any] | None = None,
    /,
    *,
    effect: Effect = "read",
    window: str | None = None,
    found_by: str | None = None,
    bulk: str | None = None,
    at_once: int | None = None,
) -> Any:
    """Make a method an action that playbooks can name. `window`: "30m", "24h", "15d".

    Raises ValueError for what does not fit together.
    """
    if bulk and effect != "repeat":  # a call that is refused is taken apart and sent again
        raise ValueError(f"bulk={bulk!r} needs effect='repeat'")
    if at_once is not None and (not bulk or at_once < 2):
        raise ValueError(f"at_once={at_once!r} says how many effects of bulk= go together")
    if effect == "checkable" and not found_by:
        raise ValueError("a checkable action needs found_by, the read that asks for it")
    declared = _Declared(effect, duration(window) if window else None, found_by, bulk, at_once)

    def mark(marked: Callable[..., Any]) -> Callable[..., Any]:
        marked.__dict__["__action__"] = declared
        return marked

    return mark if method is None else mark(method)


def duration(text: str) -> timedelta:
    """A length of time as a connector writes it: 30s, 30m, 24h, 15d. Raises ValueError."""
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError(f"window {text!r} must be a number and s, m, h or d, like 15d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@lru_cache(maxsize=512)
def declared(owner: type) -> Mapping[str, Action]:
    """All actions of a class by name, those of its parents included."""
    found = {}
    for name in dir(owner):
        method = inspect.getattr_static(owner, name)
        mark = getattr(method, "__dict__", {}).get("__action__") if inspect.isfunction(method) else None
        if isinstance(mark, _Declared):
            found[name] = _read(name, method, mark)
    return found


def _read(name: str, method: Callable[..., Any], mark: _Declared) -> Action:
    hints = get_type_hints(method, include_extras=True)
    signature = inspect.signature(method).parameters
    taken = {
        one.name: Parameter(one.name, hints.get(one.name, Any), one.default is one.empty)
        for one in signature.values()
        if one.name not in _HANDED and one.kind not in {one.VAR_KEYWORD, one.VAR_POSITIONAL}
    }
    return Action(
        name=name,
        effect=mark.effect,
        parameters=taken,
        result=hints.get("return", Any),
        doc=inspect.getdoc(method) or "",
        takes_key="key" in signature,
        takes_call="call" in signature,
        extra=any(one.kind is one.VAR_KEYWORD for one in signature.values()),
        window=mark.window,
        found_by=mark.found_by,
        bulk=mark.bulk,
        at_once=mark.at_once,
    )


def check_arguments(action: Action, names: set[str]) -> list[str]:
    """What is wrong with arguments of these names: one sentence each, empty when all is well."""
    known = action.parameters
    wrong = []
    for name in sorted(names - set(known)) if not action.extra else []:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(known) or 'none'}"
        wrong.append(f"{action.name}: no such argument {name}; {hint}")
    missing = [one.name for one in known.values() if one.required and one.name not in names]
    return wrong + [f"{action.name}: the argument {name} is missing" for name in missing]


def checked(action: Action, arguments: Mapping[str, object]) -> dict[str, object]:
    """Arguments turned into the types of the signature. Raises Rejected, with no value in its reason."""
    wrong = check_arguments(action, set(arguments))
    if wrong:
        raise Rejected("; ".join(wrong), next_step="correct the arguments of the step")
    taken: dict[str, object] = {}
    for name, value in arguments.items():
        parameter = action.parameters.get(name)
        try:
            taken[name] = value if parameter is None else _adapter(parameter).validate_python(value)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join([name, *map(str, first["loc"])])
            raise Rejected(
                f"{action.name}: {where}: {first['msg']}", next_step="correct the value given to this argument"
            ) from None
    return taken


_adapters: dict[int, tuple[Parameter, TypeAdapter[Any]]] = {}  # by identity: an annotation need not be hashable


def _adapter(parameter: Parameter) -> TypeAdapter[Any]:
    kept = _adapters.get(id(parameter))
    if kept is None:
        try:
            made: TypeAdapter[Any] = TypeAdapter(
                parameter.annotation, config=ConfigDict(coerce_numbers_to_str=True, arbitrary_types_allowed=True)
            )
        except PydanticUserError:  # a model brings its own config
            made = TypeAdapter(parameter.annotation)
        kept = _adapters[id(parameter)] = (parameter, made)
    return kept[1]


def plain(value: object) -> object:
    """A result as dicts, lists and scalars; Decimal and times stay what they are."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="python"))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    return value
