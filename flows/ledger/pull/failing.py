"""What to do about a source that failed, as whoever pulls can do it."""

from collections.abc import Callable

from connectors.base import Connector
from connectors.errors import ConnectorError, NotConnected, Unavailable
from connectors.fields import variable_of

_AGAIN = "the next pull asks again"


def clearer(error: ConnectorError, name: str, connection: Callable[[str], Connector]) -> ConnectorError:
    """The error with a next step of a pull: nothing repeats it by itself, and a refused secret has a name."""
    if isinstance(error, Unavailable) and error.next_step == Unavailable.usual_next_step:
        error.next_step = _AGAIN
    elif isinstance(error, NotConnected) and error.next_step == NotConnected.usual_next_step:
        error.next_step = _secrets(name, connection) or error.next_step
    return error


def _secrets(name: str, connection: Callable[[str], Connector]) -> str:
    """Which of the connection's variables to look at; empty where none is known."""
    try:
        made = connection(name)
    except ConnectorError:
        return ""
    given = [one for one in made.secrets() if getattr(made, one, None)]
    does, named = ("correct", given) if given else ("set", list(made.secrets()))
    variables = " or ".join(variable_of(name, one) for one in named)
    return f"{does} {variables} in .env; if digilog is up, start it again" if variables else ""
