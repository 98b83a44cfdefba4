"""Canvas: the circle of canvas.yaml as a picture and as a list, with what is still missing on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import cos, pi, sin

from sqlalchemy import Connection
from starlette.responses import Response

from flows.ledger.pictures.draw import fitted
from flows.ledger.pictures.numbers import exact
from flows.ledger.series import Cell, series
from flows.playbook.model import Book, Place, Playbook
from flows.web.board.ask import Ask
from flows.web.board.words.canvas import CANVAS

WIDTH, HEIGHT, RADIUS = 640, 480, 185
CARD, PILL = (148, 68), (124, 40)  # width and height
_TOP = -pi / 2
Numbers = dict[str, list[tuple[str, str, str]]]


@dataclass(frozen=True, slots=True)
class Node:
    """A stage or a pool, by its middle."""

    id: str
    label: str
    x: float
    y: float
    width: int
    height: int
    playbooks: int = 0
    metrics: int = 0
    bare: bool = False  # a stage without a playbook or without a metric
    number: str = ""  # its first metric and yesterday's number


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line from the edge of one node to the edge of another; the label stands at x, y."""

    label: str
    way: str  # an SVG path
    x: float
    y: float
    number: str = ""
    number_y: float = 0.0  # farther out than the label


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that the canvas lacks; `key` names its sentence."""

    key: str
    of: str
    detail: str = ""
    playbook: str = ""


def get(ask: Ask, session: Connection) -> Response:
    book = ask.context.world.book
    numbers = _yesterday(ask, session)
    stages, pools = _stages(book, numbers), _pools(book)
    return ask.page(
        "canvas.html",
        CANVAS,
        width=WIDTH,
        height=HEIGHT,
        radius=RADIUS,
        stages=stages,
        pools=pools,
        arrows=list(_arrows(book, {one.id: one for one in (*stages, *pools)}, numbers)),
        numbers=numbers,
        places=list(_all(book)),
        missing=list(missing(book)),
    )


def _yesterday(ask: Ask, session: Connection) -> Numbers:
    """Yesterday's numbers by place: each metric, its label, the number or a question mark."""
    book, found = ask.context.world.book, dict[str, list[tuple[str, str, str]]]()
    day = ask.now.astimezone(book.company.zone).date() - timedelta(days=1)
    cells = series(session, book, book.metrics.metrics, day, day, ask.now) if book.metrics.metrics else {}
    for id, metric in book.metrics.metrics.items():
        cell = cells[id].get(day, Cell())
        number = exact(cell.value, metric.unit, book.company.format) if cell.value is not None else ""
        said = number or ("–" if cell.status == "not_applicable" else "?")
        found.setdefault(metric.on, []).append((id, metric.label, said))
    return found


def _first(numbers: Numbers, place: str) -> str:
    _, label, said = next(iter(numbers.get(place, ())), ("", "", ""))
    return f"{fitted(label, 16)} {said}".strip()


def missing(book: Book) -> Iterator[Missing]:
    """Stages without playbook or metric, scenario lines that no step serves, steps without a backup."""
    for name, place in book.canvas.stages.items():
        if not _standing(book, name):
            yield Missing("no_playbook", place.label)
        if not _measured(book, name):
            yield Missing("no_metric", place.label)
    for playbook in book.playbooks.values():
        served = {line for step in playbook.steps for line in step.serves}
        for line, said in playbook.scenario.items():
            if line not in served:
                yield Missing("no_step", playbook.title, said, playbook.playbook)
        for step in playbook.steps:
            by = step.by
            if by is not None and not by.machine and by.who is None and _alone(by.role, book):
                yield Missing("no_backup", playbook.title, step.do, playbook.playbook)


def _alone(role: str, book: Book) -> bool:
    known = book.company.roles.get(role)
    return known is not None and len(known.people) < 2 and known.backup is None


def _all(book: Book) -> Iterator[tuple[str, Place, list[Playbook]]]:
    """Every place with the playbooks that stand there; arrows and pools of which nothing is said are left out."""
    canvas = book.canvas
    for name, place in (*canvas.stages.items(), *canvas.arrows.items(), *canvas.pools.items()):
        found = _standing(book, name)
        measured = _measured(book, name)
        if name in canvas.stages or found or measured or place.design or place.as_is or place.gap:
            yield name, place, found


def _standing(book: Book, place: str) -> list[Playbook]:
    return [one for one in book.playbooks.values() if one.stage == place]


def _measured(book: Book, place: str) -> int:
    return sum(one.on == place for one in book.metrics.metrics.values())


def _stages(book: Book, numbers: Numbers) -> list[Node]:
    """Evenly on the circle, the first at its top, as a clock goes."""
    count = len(book.canvas.stages)
    found = []
    for number, (name, place) in enumerate(book.canvas.stages.items()):
        x, y = _on_circle(number / count, RADIUS)
        playbooks, metrics = len(_standing(book, name)), _measured(book, name)
        bare = not (playbooks and metrics)
        found.append(Node(name, place.label, x, y, *CARD, playbooks, metrics, bare, _first(numbers, name)))
    return found


def _pools(book: Book) -> list[Node]:
    """Outside the circle: what flows into a stage before it, what flows out behind it, the others where room is."""
    canvas = book.canvas
    order, count = list(canvas.stages), len(canvas.stages)
    free = [(number + 0.5) / count for number in range(count)]
    places: dict[str, float] = {}
    for arrow in canvas.arrows.values():
        for pool, stage, side in ((arrow.source, arrow.to, -0.5), (arrow.to, arrow.source, 0.5)):
            if pool in canvas.pools and stage in order and pool not in places:
                places[pool] = _nearest((order.index(stage) + side) / count, free)
    for pool in canvas.pools:
        if pool not in places:
            places[pool] = _nearest(0.5 / count, free)
    found = []
    for pool, part in places.items():
        x, y = _on_circle(part, RADIUS * 1.42, wide=1.28)
        found.append(Node(pool, canvas.pools[pool].label, x, y, *PILL))
    return found


def _nearest(wanted: float, free: list[float]) -> float:
    if not free:
        return wanted
    best = min(free, key=lambda one: min(abs(one - wanted % 1), 1 - abs(one - wanted % 1)))
    free.remove(best)
    return best


def _on_circle(part: float, radius: float, wide: float = 1.0) -> tuple[float, float]:
    angle = _TOP + 2 * pi * part
    return round(WIDTH / 2 + radius * wide * cos(angle), 1), round(HEIGHT / 2 + radius * sin(angle), 1)


def _arrows(book: Book, nodes: dict[str, Node], numbers: Numbers) -> Iterator[Arrow]:
    for name, place in book.canvas.arrows.items():
        begin, end = nodes.get(place.source or ""), nodes.get(place.to or "")
        if begin is None or end is None:
            continue
        (x1, y1), (x2, y2) = _edge(begin, end), _edge(end, begin)
        middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
        bend_x, bend_y = _outwards(middle_x, middle_y, 26)
        label_x, label_y = _outwards(middle_x, middle_y, 30)
        way = f"M{x1:.1f} {y1:.1f}Q{bend_x:.1f} {bend_y:.1f} {x2:.1f} {y2:.1f}"
        above = -18 if label_y < HEIGHT / 2 else 18
        yield Arrow(place.label, way, label_x, label_y + 5, _first(numbers, name), label_y + 5 + above)


def _outwards(x: float, y: float, far: float) -> tuple[float, float]:
    from_middle = ((x - WIDTH / 2) ** 2 + (y - HEIGHT / 2) ** 2) ** 0.5 or 1.0
    return x + (x - WIDTH / 2) / from_middle * far, y + (y - HEIGHT / 2) / from_middle * far


def _edge(node: Node, towards: Node) -> tuple[float, float]:
    """Where the line to another node leaves this one, with a little air."""
    across, down = towards.x - node.x, towards.y - node.y
    half_width, half_height = node.width / 2 + 6, node.height / 2 + 6
    share = min(half_width / abs(across) if across else 9.0, half_height / abs(down) if down else 9.0)
    return node.x + across * share, node.y + down * share
