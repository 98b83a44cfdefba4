"""A month's numbers as CSV: a line for each metric's day, exactly, and nothing that a spreadsheet would carry out."""

import csv
import io

from starlette.responses import Response

from flows.ledger.pictures.grid import Grid

_HEAD = (
    "day", "metric", "label", "place", "channel", "value", "unit", "status", "provisional", "restated", "pinned",
    "conflict",
)  # fmt: skip


def as_csv(month: Grid) -> Response:
    """UTF-8 with a mark in front, by which Excel knows it."""
    written = io.StringIO(newline="")
    lines = csv.writer(written)
    lines.writerow(_HEAD)
    for group in month.groups:
        for line in group.lines:
            about = [_plain(text) for text in (line.metric.label, group.label, line.channel)]
            for day, cell in zip(month.days, line.cells, strict=True):
                marks = [
                    int(one) for one in (cell.provisional and cell.known, cell.restated, cell.pinned, cell.conflict)
                ]
                value = "" if cell.value is None else f"{cell.value:f}"
                lines.writerow([day.isoformat(), line.id, *about, value, line.metric.unit, cell.status, *marks])
    name = f"metrics-{month.days[0]}-{month.days[-1]}.csv"
    head = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(written.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=head)


def _plain(text: str) -> str:
    """A text that begins like a formula stays a text."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
