"""The company's own form, served by the board: nothing to sign, so nothing comes in through the webhook door."""

from typing import ClassVar

from connectors.base import Connector
from connectors.forms import SUBMITTED


class OwnForm(Connector):
    """The form on the company's own page, for customers at home, walk-ins and staff."""

    service: ClassVar[str] = "own_form"
    room: ClassVar[str] = "forms"
    events: ClassVar[tuple[str, ...]] = (SUBMITTED,)
