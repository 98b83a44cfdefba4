"""What can be told of a metric's source without asking it: its names, its unit, whether it may be reached."""

import re
from urllib.parse import urlsplit

from connectors.addresses import named_inside
from flows.playbook import services
from flows.playbook.load import Path_
from flows.playbook.metrics import Metric
from flows.playbook.model import Book, ConnectionEntry
from flows.playbook.problem import nearest
from flows.playbook.sheet import Sheet

_UNITS = ("count", "minutes", "ratio")
_CURRENCY = re.compile(r"[A-Z]{3}")
_NO = frozenset({"", "false", "no", "off", "0", "n", "f"})


def names(metric: Metric, path: Path_, book: Book, sheet: Sheet) -> None:
    """Whether its connection knows what it is asked for, where that is declared or usual."""
    source, at = metric.source, (*path, "source")
    connection = str(source.use).partition(".")[0]
    connector = services.connector_of(book.company, connection)
    own, key = source.of or str(path[-1]), "of" if source.of else "use"
    usual = getattr(connector, "names", ())
    if usual and own not in usual:  # a property of GA4 may have names of its own
        said = f"{own} is no usual number of this service, whose own name stands in of:{nearest(own, usual)}"
        sheet.notice((*at, key), said)
    if (entry := book.company.connections.get(connection)) is None:
        return
    declared = services.declared(connector, entry.settings)
    if "of" in declared and own not in declared["of"]:
        sheet.say((*at, key), f"{own} is none of the values of {connection}{nearest(own, declared['of'])}")
    for key, asked in (("where", source.where), ("split", source.split)):
        for name in asked if key in declared else ():
            if name not in declared[key]:
                sheet.say((*at, key), f"{name} is none of the dimensions of {connection}{_near(name, declared[key])}")


def unit(metric: Metric, path: Path_, book: Book, sheet: Sheet) -> None:
    """A unit that is no other way of counting is money, and money is written by its three letters."""
    if metric.unit in _UNITS or _CURRENCY.fullmatch(metric.unit):
        return
    known = [*_UNITS, book.company.currency]
    same = next((one for one in known if one.lower() == metric.unit.lower()), None)
    near = f"; did you mean {same}?" if same else nearest(metric.unit, known)
    sheet.notice((*path, "unit"), f"{metric.unit} is no unit, nor a currency like {book.company.currency}{near}")


def here(entry: ConnectionEntry, path: Path_, sheet: Sheet) -> None:
    """A service on this computer is called only where that is meant."""
    settings = entry.settings
    try:
        host = urlsplit(str(settings.get("base_url", ""))).hostname or ""
    except ValueError:
        return
    allowed = str(settings.get("allow_loopback", "")).lower() not in _NO
    if host and not allowed and named_inside(host, loopback=False) and not named_inside(host, loopback=True):
        said = f"{host} is this computer, which is called only if you say so; add allow_loopback: yes"
        sheet.notice((*path, "base_url"), said)


def _near(name: str, known: tuple[str, ...]) -> str:
    return nearest(name, known) or "; declare it there"
