"""What only one of several engines does at a time; one engine alone on its store has it always."""

from sqlalchemy import Connection

DECIDING, SENDING, GATHERING, ASKING, WATCHING, KEEPING = 3, 4, 5, 6, 7, 8
_OURS = 1684632428  # as in `postgres`


def alone(session: Connection, what: int) -> None:
    """Wait until nobody else does it; it is ours until the transaction ends."""
    if session.dialect.name != "sqlite":
        session.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OURS}, {what})")


def try_alone(session: Connection, what: int) -> bool:
    """Whether nobody else does it; then it is ours until the transaction ends."""
    if session.dialect.name == "sqlite":
        return True
    return bool(session.exec_driver_sql(f"SELECT pg_try_advisory_xact_lock({_OURS}, {what})").scalar())
