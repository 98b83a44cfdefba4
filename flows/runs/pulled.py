"""What the pulls of a run brought, for its table: counts, sources and metrics; nothing of Prefect in here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from flows.store import tables as t
from flows.store.read import rows

_SHOWN = 200  # questions in the table
_p, _q, _e, _r = t.pull.c, t.pull_part.c, t.effect.c, t.run_case.c


@dataclass(frozen=True, slots=True)
class Pulled:
    """The questions of a run's pulls, and all in one line. No reasons: they may hold what a service said."""

    said: str
    table: Sequence[dict[str, str]]


def pulled(session: Connection, run: str) -> Pulled | None:
    """The pulls of a run's cases; none: it pulled nothing."""
    pulls = rows(
        session,
        select(t.pull)
        .join(t.effect, _e.key == _p.key)
        .join(t.run_case, _r.case_id == _e.case_id)
        .where(_r.run_id == run)
        .order_by(_p.begun_at),
    )
    if not pulls:
        return None
    kinds = {row["id"]: row["kind"] for row in pulls}
    asked = select(t.pull_part).where(_q.pull_id.in_(kinds)).order_by(_q.state != "failed", _q.id)
    parts = rows(session, asked)
    counts = (
        f"{row['kind']}: {row['kept']} new, {row['restated']} restated, {row['missing']} missing" for row in pulls
    )
    left = [f"{len(parts) - _SHOWN} more questions"] if len(parts) > _SHOWN else []
    table = [
        {
            "pull": kinds[part["pull_id"]],
            "source": part["source"],
            "metrics": ", ".join(json.loads(part["asked"])["metrics"]),
            "from": part["since"],
            "to": part["until"],
            "state": part["state"],
            "pages": str(part["pages"]),
        }
        for part in parts[:_SHOWN]
    ]
    return Pulled(" · ".join([*counts, *left]), table)
