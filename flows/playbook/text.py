"""Texts with `{{ names }}` in them: parsed once, filled many times, never read as a text again."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from jinja2 import Environment, StrictUndefined, TemplateSyntaxError, nodes

from flows.playbook.problem import Misplaced, nearest
from flows.playbook.wording import FILTERS, Format, plain

__all__ = ["Blank", "Format", "MissingValue", "Text", "blanks", "fill", "render_all"]

LONGEST = 20_000
LookUp = Callable[[str], object]
# only the parser of this environment is used: what it allows is far more than we do
_ENVIRONMENT = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
_BLANK = re.compile(r"#\{\s*([^{}\s][^{}]*?)\s*\}")


class MissingValue(Exception):  # noqa: N818 - a word of the shop, as the engine's other outcomes
    """A text names a value that the case does not have; `path` is its dotted name."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} has no value")
        self.path = path


@dataclass(frozen=True, slots=True)
class Blank:
    """One `{{ path | filter }}` of a text."""

    path: str
    filters: tuple[str, ...]  # without `default`
    default: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a playbook, equal to another of the same source."""

    source: str
    names: frozenset[str] = field(compare=False, repr=False)  # dotted paths
    needed: frozenset[str] = field(compare=False, repr=False)  # those without a default
    parts: tuple[str | Blank, ...] = field(compare=False, repr=False)

    @classmethod
    def parse(cls, source: "str | Self") -> Self:
        """Raise ValueError with a plain sentence on anything but names, our filters and words."""
        if isinstance(source, cls):
            return source
        if not isinstance(source, str):
            raise ValueError("a text is expected here")  # noqa: TRY004 - pydantic wants ValueError
        if len(source) > LONGEST:
            raise ValueError(f"the text is longer than {LONGEST} characters")
        parts = _parts(source)
        blanks = [part for part in parts if isinstance(part, Blank)]
        names = frozenset(blank.path for blank in blanks)
        return cls(source, names, frozenset(blank.path for blank in blanks if blank.default is None), parts)

    def render(self, look_up: LookUp, form: Format) -> object:
        """The filled text; exactly one `{{ path }}` gives the value itself, with its type.

        `look_up` gives None for what is missing. Raise MissingValue for that, unless there is a
        default; ValueError when a filter cannot take the value.
        """
        match self.parts:
            case (Blank(path, (), default),):
                value = look_up(path)
                return _given(value, path, default)
        return "".join(part if isinstance(part, str) else _filled(part, look_up, form) for part in self.parts)


def render_all(value: object, look_up: LookUp, form: Format) -> Any:
    """Render every Text in nested mappings and lists; everything else stays as it is."""
    match value:
        case Text():
            return value.render(look_up, form)
        case Mapping():
            return {key: render_all(inner, look_up, form) for key, inner in value.items()}
        case list() | tuple():
            return [render_all(inner, look_up, form) for inner in value]
    return value


def blanks(message: str) -> set[str]:
    """The names of a message's `#{blanks}`."""
    return {found.strip() for found in _BLANK.findall(message)}


def fill(message: str, values: Mapping[str, str]) -> str:
    """Fill a message's `#{blanks}`, once: what is filled in is not searched again. Raise MissingValue."""

    def one(found: re.Match[str]) -> str:
        name = found.group(1).strip()
        if name not in values:
            raise MissingValue(name)
        return str(values[name])

    return _BLANK.sub(one, message)


def texts(value: object, path: tuple[str | int, ...] = ()) -> object:
    """Every string in nested mappings and lists as a Text; raise Misplaced."""
    match value:
        case str():
            try:
                return Text.parse(value)
            except ValueError as error:
                raise Misplaced(path, str(error)) from None
        case Mapping():
            return {key: texts(inner, (*path, key)) for key, inner in value.items()}
        case list():
            return [texts(inner, (*path, number)) for number, inner in enumerate(value)]
    return value


def _given(value: object, path: str, default: str | None) -> object:
    if value is not None:
        return value
    if default is None:
        raise MissingValue(path)
    return default


def _filled(blank: Blank, look_up: LookUp, form: Format) -> str:
    value = look_up(blank.path)
    if value is None:
        return str(_given(value, blank.path, blank.default))
    for name in blank.filters:
        value = FILTERS[name](value, form)
    return plain(value, form)


def _parts(source: str) -> tuple[str | Blank, ...]:
    if "{{" not in source and "{%" not in source and "{#" not in source:
        return (source,)
    if "{%" in source or "{#" in source:
        raise ValueError("{% %} and {# #} are not part of the language; only {{ a.name }} is")
    try:
        body = _ENVIRONMENT.parse(source).body
    except TemplateSyntaxError:
        raise ValueError("the braces cannot be read; write {{ step.answer }} or {{ step.answer | date }}") from None
    parts: list[str | Blank] = []
    for output in body:
        if not isinstance(output, nodes.Output):
            raise ValueError("only {{ a.name }} is part of the language")  # noqa: TRY004
        parts += [node.data if isinstance(node, nodes.TemplateData) else _blank(node) for node in output.nodes]
    return tuple(parts)


def _blank(node: nodes.Node) -> Blank:
    filters: list[str] = []
    default: str | None = None
    while isinstance(node, nodes.Filter):
        if node.name == "default":
            default = _default(node)
        elif node.name not in FILTERS:
            raise ValueError(f"{node.name} is no filter{nearest(node.name, [*FILTERS, 'default'])}")
        elif node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise ValueError(f"the filter {node.name} takes nothing in parentheses")
        else:
            filters.insert(0, node.name)
        if node.node is None:
            raise ValueError("a filter stands after a name")
        node = node.node
    return Blank(_path(node), tuple(filters), default)


def _default(node: nodes.Filter) -> str:
    match node.args:
        case [nodes.Const(value=str(value))] if not node.kwargs and not node.dyn_args and not node.dyn_kwargs:
            return value
        case [nodes.Const(value=int(value))] if not node.kwargs and not isinstance(value, bool):
            return str(value)
    raise ValueError("default takes one quoted word, as in default('')")


def _path(node: nodes.Node) -> str:
    match node:
        case nodes.Name(name=name):
            return str(name)
        case nodes.Getattr(node=inner, attr=attr):
            return f"{_path(inner)}.{attr}"
    raise ValueError("inside {{ }} stands a name, such as {{ name }} or {{ step.answer }}, and nothing else")
