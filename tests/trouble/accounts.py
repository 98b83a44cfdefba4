"""What must be true of many orders after trouble: nothing lost, nothing twice, and a doubt is somebody's."""

from collections import Counter
from collections.abc import Collection

from tests.trouble.company import STEPS
from tests.trouble.house import House

_OUT = [step for step, kind in STEPS.items() if kind != "inside"]


def kept(house: House) -> set[str]:
    """The ids of all orders that stand in the store."""
    return {row[0] for row in house.rows("SELECT key FROM event WHERE connection = 'orders'")}


def settled(house: House, count: int) -> bool:
    """Whether so many cases are there and each has ended or stands in doubt."""
    states = [row[0] for row in house.rows('SELECT status FROM "case"')]
    return len(states) >= count and all(state in {"ended", "in_doubt"} for state in states)


def wrong(house: House, ids: Collection[str]) -> list[str]:
    """What is wrong with these orders, each of which was answered 2xx and has settled."""
    said = [f"{id}: lost" for id in set(ids) - kept(house)]
    asked = Counter((call.step, call.path) for call in house.sink.calls)
    keys = {(call.path, call.key) for call in house.sink.calls if call.step == "keyed"}
    shown = {row[0] for row in house.rows("SELECT case_id FROM assignment WHERE kind = 'doubt' AND state = 'open'")}
    seen: Counter[str] = Counter()
    for row in house.rows('SELECT e.key, c.id, c.status, c.outcome FROM event e LEFT JOIN "case" c ON c.event_id = e.id'
                          " WHERE e.connection = 'orders'"):  # fmt: skip
        id, case, doubt = row["key"], row["id"], row["status"] == "in_doubt"
        times = {step: asked[step, f"/{step}/{case}"] for step in _OUT}
        seen[id] += 1
        if doubt and case not in shown:
            said.append(f"{id}: a doubt that nobody is asked about")
        if not doubt and (row["status"], row["outcome"]) != ("ended", "done"):
            said.append(f"{id}: stands {row['status']} with outcome {row['outcome']}")
        if times["tell"] > 1 or (not doubt and 0 in times.values()):
            said.append(f"{id}: reached the services so often: {times}")
        if times["keyed"] and {key for path, key in keys if path == f"/keyed/{case}"} != {f"{case}/keyed"}:
            said.append(f"{id}: arrived under another key")
    said += [f"{id}: {count} cases" for id, count in seen.items() if count > 1]
    return said + _written(house)


def _written(house: House) -> list[str]:
    twice = house.rows("SELECT case_id, count(*) FROM exchange GROUP BY 1 HAVING count(*) > 1")
    done = house.rows("SELECT case_id || '/' || step, count(*) FROM journal WHERE state = 'done' AND step <> '' "
                      "GROUP BY 1 HAVING count(*) > 1")  # fmt: skip
    left = house.rows("SELECT key, state FROM effect WHERE state IN ('due', 'sending') AND case_id IS NOT NULL")
    whole = house.rows("PRAGMA integrity_check")
    return [
        *(f"{row[0]}: written down {row[1]} times" for row in [*twice, *done]),
        *(f"effect {row[0]} was left {row[1]}" for row in left),
        *(f"the store is damaged: {row[0]}" for row in whole if row[0] != "ok"),
    ]
