"""From an expression's text to a tree of our own: rule-engine parses, this allows.

rule-engine itself would take regular expressions, comprehensions, attributes of values and the real
clock, and it compares values of different kinds in silence; so only its tree is used.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from typing import Any

from flows.playbook.parser import Rule, ast, errors

LONGEST = 1_000
FUNCTIONS = ("days_until", "days_since")
_STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_FORBIDDEN = re.compile(r"\*\*|//|=~|!~|<<|>>|(?<![=!<>])=(?!=)|[$?&|^%{}:#;@`]|\b(?:inf|nan|null|for|if)\b")
_BEHIND = re.compile(r"['\")\]]\s*\.")
_PREFIXED = re.compile(r"\b[A-Za-z_]+(?=['\"])")
_PARSER = Lock()  # rule-engine's parser is one object for the whole process


@dataclass(frozen=True, slots=True)
class Constant:
    value: str | Decimal | bool


@dataclass(frozen=True, slots=True)
class Name:
    path: str


@dataclass(frozen=True, slots=True)
class Not:
    value: "Node"


@dataclass(frozen=True, slots=True)
class Negative:
    value: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    word: str  # and, or
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Compare:
    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    sign: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Among:
    value: "Node"
    words: "tuple[Node, ...] | Name"


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    value: "Node"


Node = Constant | Name | Not | Negative | Logic | Compare | Arithmetic | Among | Call

_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*", "tdiv": "/"}


@lru_cache(maxsize=4096)
def parse(source: str) -> Node:
    """Raise ValueError, in a plain sentence, on anything but the language of design 2."""
    if len(source) > LONGEST:
        raise ValueError(f"the expression is longer than {LONGEST} characters; shorten it")
    if "{{" in source:
        raise ValueError("an expression is written without braces: take {{ and }} away")
    bare = _STRING.sub("''", source)
    # before the parser: it computes what is constant while it parses, `9 ** 9 ** 9` too
    if found := _FORBIDDEN.search(bare):
        hint = "; to compare write ==" if found.group() == "=" else ""
        raise ValueError(f"{found.group()} is not part of the language{hint}")
    if _BEHIND.search(bare):
        raise ValueError("a point may stand only between names, as in step.answer")
    if found := _PREFIXED.search(bare):
        word = found.group()
        if word not in {"and", "or", "not", "in"}:
            raise ValueError(f"{word} cannot stand directly before a quotation mark")
    try:
        with _PARSER:
            tree = Rule(source).statement.expression
    except errors.RuleSyntaxError as error:
        raise ValueError(_syntax(error)) from None
    except (errors.EngineError, ArithmeticError, AttributeError, RecursionError, TypeError, ValueError):
        raise ValueError(
            "this cannot be computed: it mixes text and numbers, or is nested too deeply; write it simpler"
        ) from None
    return _node(tree)


def _syntax(error: errors.RuleSyntaxError) -> str:
    token = error.token
    if token is None:
        return "the expression ends too early; something is missing at its end"
    near = str(token.value)
    if near[:1] in "'\"":
        return "a quotation mark is opened and never closed"
    return f"the expression cannot be read at {near[:20]!r}; words are quoted, names are written as step.answer"


def _node(tree: Any) -> Node:
    match tree:
        case ast.StringExpression() | ast.FloatExpression() | ast.BooleanExpression():
            return _constant(tree.value)
        case ast.SymbolExpression() | ast.GetAttributeExpression():
            return Name(_path(tree))
        case ast.UnaryExpression():
            value = _node(tree.right)
            return Not(value) if tree.type == "not" else Negative(value)
        case ast.LogicExpression():
            return Logic(tree.type, _node(tree.left), _node(tree.right))
        case ast.ComparisonExpression() if tree.type in _COMPARISONS:
            return Compare(_COMPARISONS[tree.type], _node(tree.left), _node(tree.right))
        case ast.AddExpression() | ast.SubtractExpression() | ast.ArithmeticExpression() if tree.type in _ARITHMETIC:
            return Arithmetic(_ARITHMETIC[tree.type], _node(tree.left), _node(tree.right))
        case ast.ContainsExpression():
            return Among(_node(tree.member), _words(tree.container))
        case ast.FunctionCallExpression():
            return _call(tree)
    raise ValueError(f"{_kind(tree)} is not part of the language")


def _constant(value: object) -> Constant:
    if isinstance(value, bool | str):
        return Constant(value)
    if isinstance(value, Decimal) and value.is_finite():
        return Constant(value)
    raise ValueError("only text, finite numbers, true and false can be written into an expression")


def _path(tree: Any) -> str:
    match tree:
        case ast.SymbolExpression(name=str(name), scope=None):
            return name
        case ast.GetAttributeExpression(object=inner, name=str(name), safe=False):
            return f"{_path(inner)}.{name}"
    raise ValueError("a point may stand only between names, as in step.answer")


def _words(tree: Any) -> tuple[Node, ...] | Name:
    match tree:
        case ast.ArrayExpression(value=values):
            return tuple(_node(value) for value in values)
        case ast.SymbolExpression() | ast.GetAttributeExpression():
            return Name(_path(tree))
    raise ValueError("after in stand words in brackets, as in ['a', 'b']")


def _call(tree: Any) -> Call:
    function = _path(tree.function)
    if function not in FUNCTIONS:
        raise ValueError(f"{function}() is not part of the language; known: {', '.join(FUNCTIONS)}")
    if len(tree.arguments) != 1:
        raise ValueError(f"{function}() takes exactly one date")
    return Call(function, _node(tree.arguments[0]))


_KINDS = {
    "ComprehensionExpression": "for inside brackets",
    "TernaryExpression": "a condition with ?",
    "GetItemExpression": "reading by [..]",
    "GetSliceExpression": "reading by [..]",
    "ArrayExpression": "[..] without in before it",
    "NullExpression": "null",
}


def _kind(tree: object) -> str:
    return _KINDS.get(type(tree).__name__, "this")
