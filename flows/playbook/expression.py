"""Conditions of a playbook: parsed once, typed at load, evaluated many times."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from operator import add, eq, ge, gt, le, lt, mul, ne, sub, truediv
from typing import Any, Self

from flows.playbook import grammar, kinds
from flows.playbook.grammar import Among, Arithmetic, Call, Compare, Constant, Logic, Name, Negative, Node, Not
from flows.playbook.kinds import Type

__all__ = ["Expression", "Type"]

LookUp = Callable[[str], object]
_SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge, "+": add, "-": sub, "*": mul, "/": truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """One condition, equal to another of the same text."""

    source: str
    names: frozenset[str] = field(compare=False, repr=False)  # dotted paths, `today` too
    tree: Node = field(compare=False, repr=False)

    @classmethod
    def parse(cls, source: "str | Self") -> Self:
        """Raise ValueError with a plain sentence when the text is not in the language."""
        if isinstance(source, cls):
            return source
        if not isinstance(source, str) or not source.strip():
            raise ValueError("an expression is expected here, such as not attend.attended")
        tree = grammar.parse(source)
        return cls(source, frozenset(_names(tree)), tree)

    def check(self, types: Callable[[str], Type | None], known: Iterable[str] = ()) -> list[str]:
        """Sentences on what does not fit; `types` gives None for a name that is not known here."""
        return kinds.check(self.tree, types, known)

    def evaluate(self, look_up: LookUp, today: date, zone: tzinfo = UTC) -> object:
        """True, false or a value; a missing one is false.

        `look_up` gives None for what is missing. `today` and `zone` are the company's; in them
        `days_until` counts. Raise ValueError when values of different kinds are compared.
        """
        value = _value(self.tree, _Scene(look_up, today, zone))
        return False if value is None else value


@dataclass(frozen=True, slots=True)
class _Scene:
    look_up: LookUp
    today: date
    zone: tzinfo

    def get(self, path: str) -> object:
        if path == "today":
            return self.today
        value = self.look_up(path)
        return Decimal(str(value)) if isinstance(value, float) else value

    def day(self, value: object) -> date | None:
        match value:
            case datetime():
                return value.astimezone(self.zone).date()
            case date():
                return value
            case str():
                return self.day(datetime.fromisoformat(value)) if "T" in value else date.fromisoformat(value)
        return None


def _names(tree: Node) -> Iterable[str]:
    match tree:
        case Name(path):
            yield path
        case Not(value) | Negative(value) | Call(_, value):
            yield from _names(value)
        case Logic(_, left, right) | Compare(_, left, right) | Arithmetic(_, left, right):
            yield from _names(left)
            yield from _names(right)
        case Among(value, words):
            yield from _names(value)
            for word in (words,) if isinstance(words, Name) else words:
                yield from _names(word)


def _value(tree: Node, scene: _Scene) -> object:
    match tree:
        case Constant(value):
            return value
        case Name(path):
            return scene.get(path)
        case Not(inner):
            return not _value(inner, scene)
        case Logic("and", left, right):
            return bool(_value(left, scene)) and bool(_value(right, scene))
        case Logic(_, left, right):
            return bool(_value(left, scene)) or bool(_value(right, scene))
        case Compare(sign, left, right):
            return _compare(sign, _value(left, scene), _value(right, scene))
        case Negative(inner):
            return _compute("-", Decimal(0), _value(inner, scene))
        case Arithmetic(sign, left, right):
            return _compute(sign, _value(left, scene), _value(right, scene))
        case Among(inner, words):
            return _among(_value(inner, scene), words, scene)
        case Call(function, inner):
            day = scene.day(_value(inner, scene))
            if day is None:
                return None
            days = (day - scene.today).days
            return Decimal(days if function == "days_until" else -days)
    raise AssertionError(tree)


def _compare(sign: str, left: object, right: object) -> bool:
    if left is None or right is None:
        return False
    if kinds.of_value(left) != kinds.of_value(right):
        raise ValueError(f"{_said(left)} cannot be compared with {_said(right)}")
    return bool(_SIGNS[sign](left, right))


def _compute(sign: str, left: object, right: object) -> object:
    if left is None or right is None:
        return None
    if kinds.of_value(left) != "number" or kinds.of_value(right) != "number":
        raise ValueError(f"{_said(left)} and {_said(right)} cannot be computed with {sign}; only numbers can")
    try:
        return _SIGNS[sign](Decimal(left), Decimal(right))  # type: ignore[arg-type]
    except ArithmeticError:
        return None  # a share of nothing is missing, not an error


def _among(value: object, words: tuple[Node, ...] | Name, scene: _Scene) -> bool:
    listed = scene.get(words.path) if isinstance(words, Name) else [_value(word, scene) for word in words]
    if value is None or not isinstance(listed, list | tuple | set | frozenset):
        return False
    return any(word == value and kinds.of_value(word) == kinds.of_value(value) for word in listed)


def _said(value: object) -> str:
    # the value itself may be a customer's: only its kind is told
    return kinds.WORDS[kinds.of_value(value)]
