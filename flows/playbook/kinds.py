"""What kind of value a name holds, and whether an expression mixes kinds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from flows.playbook.grammar import Among, Arithmetic, Call, Compare, Constant, Logic, Name, Negative, Node, Not
from flows.playbook.problem import nearest

Kind = Literal["text", "number", "yesno", "date", "datetime", "time", "list", "any"]
WORDS: dict[Kind, str] = {
    "text": "text",
    "number": "a number",
    "yesno": "yes or no",
    "date": "a date",
    "datetime": "a date with a time",
    "time": "a time",
    "list": "several values",
    "any": "a value",
}


@dataclass(frozen=True, slots=True)
class Type:
    """The kind of a name's value; `choices` are the only words it can hold."""

    kind: Kind
    choices: frozenset[str] | None = None


ANY = Type("any")
YESNO = Type("yesno")
NUMBER = Type("number")
Types = Callable[[str], Type | None]


def of_value(value: object) -> Kind:
    match value:
        case bool():
            return "yesno"
        case str():
            return "text"
        case int() | float() | Decimal():
            return "number"
        case datetime():
            return "datetime"
        case date():
            return "date"
        case time():
            return "time"
        case list() | tuple() | set() | frozenset():
            return "list"
    return "any"


@dataclass(frozen=True, slots=True)
class _Check:
    types: Types
    known: tuple[str, ...]
    said: list[str]

    def type(self, node: Node) -> Type:
        match node:
            case Constant(value):
                return Type(of_value(value))
            case Name(path):
                return self.name(path)
            case Not(value):
                self.condition(value, "not")
                return YESNO
            case Logic(word, left, right):
                self.condition(left, word)
                self.condition(right, word)
                return YESNO
            case Negative(value):
                self.number(value, "-")
                return NUMBER
            case Arithmetic(sign, left, right):
                self.number(left, sign)
                self.number(right, sign)
                return NUMBER
            case Compare(sign, left, right):
                self.compare(sign, left, right)
                return YESNO
            case Among(value, words):
                self.among(value, words)
                return YESNO
            case Call(function, value):
                found = self.type(value)
                if found.kind not in {"date", "datetime", "any"}:
                    self.said.append(f"{function}() takes a date; {told(value)} is {WORDS[found.kind]}")
                return NUMBER
        raise AssertionError(node)

    def name(self, path: str) -> Type:
        found = Type("date") if path == "today" else self.types(path)
        if found is None:
            hint = nearest(path, self.known)
            if path in {"yes", "no"}:
                hint = "; write true or false" if path == "yes" else "; write false, or not before the name"
            self.said.append(f"{path} is not known here{hint}")
        return found or ANY

    def condition(self, node: Node, word: str) -> None:
        found = self.type(node)
        if found.kind not in {"yesno", "any"}:
            self.said.append(f"{word} takes yes or no; {told(node)} is {WORDS[found.kind]}: compare it with something")

    def number(self, node: Node, sign: str) -> None:
        found = self.type(node)
        if found.kind not in {"number", "any"}:
            self.said.append(f"{sign} takes numbers; {told(node)} is {WORDS[found.kind]}")

    def compare(self, sign: str, left: Node, right: Node) -> None:
        kind_left, kind_right = self.type(left), self.type(right)
        if "any" not in {kind_left.kind, kind_right.kind} and kind_left.kind != kind_right.kind:
            self.said.append(
                f"{told(left)} is {WORDS[kind_left.kind]} and {told(right)} is {WORDS[kind_right.kind]}: "
                f"{sign} would never hold"
            )
        elif sign not in {"==", "!="} and kind_left.kind in {"yesno", "list"}:
            self.said.append(f"{sign} cannot order {WORDS[kind_left.kind]}; write ==, or the name alone")
        self.choice(kind_left, right)
        self.choice(kind_right, left)

    def among(self, value: Node, words: tuple[Node, ...] | Name) -> None:
        found = self.type(value)
        if isinstance(words, Name):
            listed = self.type(words)
            if listed.kind not in {"list", "any"}:
                self.said.append(f"after in stand several values; {words.path} is {WORDS[listed.kind]}")
            return
        for word in words:
            kind = self.type(word).kind
            if "any" not in {kind, found.kind} and kind != found.kind:
                self.said.append(f"{told(value)} is {WORDS[found.kind]} and the brackets hold {WORDS[kind]}")
            self.choice(found, word)

    def choice(self, found: Type, word: Node) -> None:
        if (
            found.choices is not None
            and isinstance(word, Constant)
            and isinstance(word.value, str)
            and word.value not in found.choices
        ):
            self.said.append(f"{word.value!r} is not among the choices{nearest(word.value, found.choices)}")


def check(tree: Node, types: Types, known: Iterable[str] = ()) -> list[str]:
    """Sentences on what does not fit in a condition; empty when it is well typed."""
    checking = _Check(types, tuple(known), [])
    found = checking.type(tree)
    if found.kind not in {"yesno", "any"}:
        checking.said.append(f"a condition is true or false; this is {WORDS[found.kind]}: compare it with something")
    return checking.said


def told(node: Node) -> str:
    match node:
        case Name(path):
            return path
        case Constant(value):
            return repr(value) if isinstance(value, str) else str(value).lower()
        case Call(function, _):
            return f"{function}()"
    return "this part"
