"""The states that cases are looked for by, and how each is asked for."""

from sqlalchemy import text

OPEN, FAILED, HELD, ENDED, ALL = "open", "failed", "held", "ended", "all"
STATES = (OPEN, FAILED, HELD, ENDED, ALL)
FEW = frozenset({FAILED, HELD})
WHERE = {
    OPEN: text("status <> 'ended'"),  # as the indexes say it
    FAILED: text("failed"),
    HELD: text("held IS NOT NULL"),
    ENDED: text("status = 'ended'"),
}
