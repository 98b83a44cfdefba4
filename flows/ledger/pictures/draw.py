"""From numbers to SVG text: one template a picture, escaped; its classes are coloured by the page's style sheet."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from rich.cells import cell_len, set_cell_size

_HERE = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
STYLE = (_HERE / "picture.css").read_text(encoding="utf-8")  # fixed light colours, where no page has its own


def draw(template: str, **values: object) -> Markup:
    return Markup(_ENVIRONMENT.get_template(template).render(**values))  # noqa: S704 - its values are escaped by now


def fitted(text: str, columns: int) -> str:
    """A text cut to so many columns; a Korean letter takes two."""
    return text if cell_len(text) <= columns else set_cell_size(text, columns - 1).rstrip() + "…"
