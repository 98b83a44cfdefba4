"""What becomes of a payload when its sender changes it: each field dropped, renamed, of another type, nested, null."""

import copy
from collections.abc import Iterator
from typing import Any

DRIFTED, NUMBER = "drifted", 7041
_RETYPED: list[Any] = [
    DRIFTED,
    NUMBER,
    70.41,
    -1,
    1e308,
    True,
    False,
    "",
    "  ",
    [],
    {},
    [DRIFTED],
    {"value": DRIFTED},
]
Path = tuple[str | int, ...]


def places(found: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every field and every entry of a list."""
    pairs: Any = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for name, inner in pairs:
        yield (*path, name)
        yield from places(inner, (*path, name))


def mutants(found: Any) -> Iterator[tuple[str, Any]]:
    """Every payload with one field changed, and what was done."""
    for path in places(found):
        name, old = path[-1], _at(found, path)
        changed = copy.deepcopy(found)
        del _at(changed, path[:-1])[name]
        yield f"{path} dropped", changed
        if isinstance(name, str):
            renamed = copy.deepcopy(changed)
            _at(renamed, path[:-1])[f"{name}_v2"] = old
            yield f"{path} renamed", renamed
        for new in (None, [old], {"value": old}, str(old) if isinstance(old, int | float) else DRIFTED, *_RETYPED):
            if type(new) is not type(old) or new != old:
                other = copy.deepcopy(found)
                _at(other, path[:-1])[name] = new
                yield f"{path} is {str(new)[:40]!r}", other


def _at(found: Any, path: Path) -> Any:
    for name in path:
        found = found[name]
    return found
