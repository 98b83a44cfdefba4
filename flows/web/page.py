"""Pages from templates: escaped, never cached, with the company's name and language."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from flows.playbook.wording import said_datetime
from flows.web.context import Context

_HERE = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_STYLE = (_HERE / "style.css").read_bytes()


def page(request: Request, template: str, status: int = 200, **values: object) -> Response:
    """A page in the company's language; `w` among the values are words of the page's own."""
    context: Context = request.app.state.context
    company = context.world.book.company
    clock = context.simulated()
    shared = {
        "w": context.words,
        "company": company,
        "clock": said_datetime(clock, company.format) if clock else None,
    }
    written = _ENVIRONMENT.get_template(template).render(shared | values)
    return HTMLResponse(written.encode("utf-8", "replace"), status)  # what came in may hold half a character


def sentence(request: Request, status: int, text: str, retry_after: int | None = None) -> Response:
    """One sentence: a page for people, a line for senders of webhooks."""
    headers = {"Retry-After": str(retry_after)} if retry_after else {}
    if status in {408, 413}:
        headers["Connection"] = "close"  # what still comes in is not wanted
    found: Response
    if request.url.path.startswith("/in/") or not hasattr(request.app.state, "context"):
        found = PlainTextResponse(f"{text}\n", status)
    else:
        found = page(request, "sentence.html", status, text=text, good=status < 400)
    found.headers.update(headers)
    return found


def moment(at: datetime, context: Context) -> str:
    """A moment in company time, in the company's words."""
    return said_datetime(at, context.world.book.company.format)


async def style(request: Request) -> Response:
    del request
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


def after(address: str) -> Response:
    """Send the browser on, so that a reload does not send the form again."""
    return RedirectResponse(address, 303)


def data(content: object, status: int = 200) -> Response:
    return JSONResponse(content, status)
