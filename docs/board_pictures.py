"""Makes pictures of the board anew: `python docs/board_pictures.py [page ...]`, after the example company's story.

Desktop and phone, light and dark; PNG with a palette of at most 256 colours, which is a third of the size.
"""

import base64
import shutil
import struct
import sys
import tempfile
import zlib
from datetime import timedelta
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, StorageState, sync_playwright
from sqlalchemy import select
from two_months import fill

from flows.demo.stage import Stage
from flows.demo.story import tell
from flows.ledger.pictures.png import month_png
from flows.store import tables as t
from flows.web.board.nav import NAV

HERE = Path(__file__).parent / "pictures" / "board"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
TALLEST = 1600  # px of a page that is shown
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
# Pixels as places in a palette: the commonest colours, and for all others the nearest of them.
PALETTE = """
async (png) => {
  const image = new Image(); image.src = 'data:image/png;base64,' + png; await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), pen = canvas.getContext('2d');
  pen.drawImage(image, 0, 0);
  const seen = new Uint32Array(pen.getImageData(0, 0, image.width, image.height).data.buffer);
  const often = new Map();
  for (const one of seen) often.set(one, (often.get(one) || 0) + 1);
  const parts = one => [one & 255, (one >> 8) & 255, (one >> 16) & 255];
  const kept = [...often].sort((a, b) => b[1] - a[1]).slice(0, 256).map(one => one[0]), place = new Map();
  for (const one of often.keys()) {
    const [r, g, b] = parts(one); let best = 0, least = Infinity;
    kept.forEach((other, at) => {
      const [x, y, z] = parts(other), far = (r - x) ** 2 + (g - y) ** 2 + (b - z) ** 2;
      if (far < least) { least = far; best = at; }
    });
    place.set(one, best);
  }
  let said = ''; for (const one of seen) said += String.fromCharCode(place.get(one));
  return [image.width, image.height, kept.flatMap(parts), btoa(said)];
}
"""


def main(wanted: list[str]) -> int:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        sys.stderr.write("no Chromium here; install the package chromium\n")
        return 1
    HERE.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="digilog-pictures-"))
    stage = Stage(home, Path("playbooks").absolute(), prefect=False)
    try:
        stage.open()
        tell(stage)
        two_months(stage)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            take(stage, browser, wanted)
            browser.close()
    finally:
        stage.close()
        shutil.rmtree(home, ignore_errors=True)
    return 0


def two_months(stage: Stage) -> None:
    """Numbers to look at; and the picture of the morning, as a message carries it."""
    if stage.store:
        fill(stage.store, stage.book, stage.now())
        with stage.store.read() as session:
            (HERE / "morning.png").write_bytes(month_png(session, stage.book, stage.now()))


def take(stage: Stage, browser: Browser, wanted: list[str]) -> None:
    """Each page in each size and light."""
    web, state = f"http://127.0.0.1:{stage.port}", log_in(stage, browser)
    for device, (width, height) in SIZES.items():
        for scheme in SCHEMES:
            context = browser.new_context(
                storage_state=state, viewport={"width": width, "height": height}, color_scheme=scheme, locale="ko-KR"
            )
            page = context.new_page()
            for name, path in pages(stage).items():
                answer = page.goto(web + path)
                if answer and answer.ok and (not wanted or name in wanted):
                    (HERE / f"{name}-{device}-{scheme}.png").write_bytes(shoot(page))
            context.close()


def pages(stage: Stage) -> dict[str, str]:
    """Name of the picture and address; a page that is not there is left out."""
    case = stage.rows(select(t.case.c.id).where(t.case.c.playbook == "trial-booking"))[0]["id"]
    party = stage.rows(select(t.party.c.id).where(t.party.c.kind == "person"))[0]["id"]
    a = t.assignment.c
    work = stage.rows(select(a.id).where(a.state == "open").order_by(a.due_at))[0]["id"]
    found = {path.strip("/") or "today": path for path, _ in NAV}
    found |= {"today": "/?who=all", "cases": "/cases?state=all", "case": f"/cases/{case}"}
    found |= {"assignment": f"/assignments/{work}", "playbook": "/playbooks/trial-booking"}
    found |= {
        "metric": "/metrics/ad_cost",
        "metric-day": f"/metrics/ad_clicks/{stage.now().date() - timedelta(days=11)}",
    }
    return found | {"customer": f"/customers/{party}", "account": "/account"}


def log_in(stage: Stage, browser: Browser) -> StorageState:
    name, password = stage.admin()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{stage.port}/login")
    page.fill("#name", name)
    page.fill("#password", password)
    page.get_by_role("button").click()
    page.get_by_role("heading", level=1).wait_for()
    return page.context.storage_state()


def shoot(page: Page) -> bytes:
    """The page from its top, with few colours."""
    size = page.viewport_size
    assert size
    tall = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
    page.set_viewport_size({"width": size["width"], "height": max(tall, size["height"])})  # or what sticks ends early
    png = page.screenshot()
    page.set_viewport_size(size)
    blank = page.context.new_page()  # a page of the board lets no script in
    width, height, palette, places = blank.evaluate(PALETTE, base64.b64encode(png).decode())
    blank.close()
    return indexed(width, height, bytes(palette), base64.b64decode(places))


def indexed(width: int, height: int, palette: bytes, places: bytes) -> bytes:
    """A PNG whose pixels are places in a palette."""
    lines = b"".join(b"\0" + places[at : at + width] for at in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
