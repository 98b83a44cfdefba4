"""How a JSON service turns its pages, declared: by number, by offset, by cursor, by link, or a page a day."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.analytics import MOST_PAGES, Asked
from connectors.errors import Rejected


class Paging(BaseModel):
    """How a service turns its pages. `limit`: rows of a full page; `total`: where the number of all rows stands."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["page", "offset", "cursor", "link", "day"]
    first: int = Field(1, ge=0)  # number of the first page
    limit: int = Field(100, ge=1, le=10_000)
    total: str = ""
    next: str = ""  # where the cursor or the link stands

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind in {"cursor", "link"}) != bool(self.next):
            raise ValueError("`next` says where the cursor or the link of the next page stands, and is for these alone")
        if self.total and self.kind not in {"page", "offset"}:
            raise ValueError("`total` is for pages that are counted: kind page or offset")
        if self.kind in {"page", "offset"} and not self.total and "limit" not in self.model_fields_set:
            raise ValueError("say `limit`, the rows of a full page, by which the last one is known; or `total`")
        return self


def turned(asked: Asked, how: Paging | None, page: str | None, found: object, rows: int) -> tuple[str, ...]:
    """The pages after this one, as this answer tells it with its `rows`. Raises Rejected where they would not end."""
    match how:
        case None:
            return ()
        case Paging(kind="day"):
            more = 0 if page else (asked.until - asked.since).days
            return tuple(str(asked.since + timedelta(days=one)) for one in range(1, more + 1))
        case Paging(kind="cursor" | "link"):
            return _next(found, how, page)
        case Paging(total=""):
            return () if rows < how.limit else (str(_place(how, page) + _step(how)),)
        case _:
            return _counted(found, how, page, rows)


def at(found: object, place: str, setting: str) -> object:
    """What stands in the whole answer. Raises Rejected where it is missing."""
    try:
        return walk(found, place)
    except LookupError:
        raise Rejected(f"the answer has no {place}", next_step=f"see `{setting}` of the connection") from None


def walk(found: object, place: str) -> object:
    """What stands at a place like `data.items.0`. Raises LookupError."""
    for name in filter(None, place.split(".")):
        match found:
            case dict() if name in found:
                found = found[name]
            case list() if name.isascii() and name.isdecimal() and int(name) < len(found):
                found = found[int(name)]
            case _:
                raise LookupError
    return found


def _next(found: object, how: Paging, page: str | None) -> tuple[str, ...]:
    """The cursor or link of the next page. Raises Rejected where it leads back to this one."""
    try:
        said = walk(found, how.next)
    except LookupError:
        return ()
    if said is None or said is False or said == "":
        return ()
    text = str(said)
    if isinstance(said, bool) or not isinstance(said, str | int) or len(text) > 2000 or not text.isprintable():
        raise Rejected(f"{how.next} is no {how.kind}", next_step="see `paging` of the connection")
    if text == page:
        raise Rejected("the pages never end: the next one is this one", next_step="see `paging` of the connection")
    return (text,)


def _place(how: Paging, page: str | None) -> int:
    return int(page) if page is not None else how.first if how.kind == "page" else 0


def _step(how: Paging) -> int:
    return 1 if how.kind == "page" else how.limit


def _counted(found: object, how: Paging, page: str | None, rows: int) -> tuple[str, ...]:
    """All further pages, known from the first one. Raises Rejected where a page is not as long as it should be."""
    total = at(found, how.total, "paging.total")
    if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= how.limit * MOST_PAGES:
        raise Rejected(f"{how.total} is no number of rows that can be listed", next_step="see `paging.total`")
    begin, step = _place(how, None), _step(how)
    full = min(how.limit, max(0, total - (_place(how, page) - begin) // step * how.limit))
    if rows != full:
        raise Rejected(
            f"a page brings {rows} rows and not {full}",
            next_step="set `paging.limit` to what the service gives at most, if that is less",
        )
    pages = -(-total // how.limit)
    return tuple(str(begin + one * step) for one in range(1, pages)) if page is None else ()
