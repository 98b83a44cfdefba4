"""How pages of the board say moments, people and amounts, in the company's language and zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from flows.playbook.model import Book
from flows.playbook.wording import said_date, said_datetime, said_money, said_phone, said_time
from flows.web.board import words
from flows.web.board.reasons import said
from flows.web.board.words.layout import LAYOUT

_HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True, slots=True)
class Saying:
    """`say` of every template."""

    book: Book
    now: datetime

    def near(self, at: datetime | None) -> str:
        """Today, tomorrow and yesterday by their names, other days by their dates; empty for none."""
        if at is None:
            return ""
        company = self.book.company
        local, today = at.astimezone(company.zone), self.now.astimezone(company.zone).date()
        by_name = {
            today: "at_today",
            today + timedelta(days=1): "at_tomorrow",
            today - timedelta(days=1): "at_yesterday",
        }
        key = by_name.get(local.date())
        if key is None:
            return said_datetime(at, company.format)
        return words.of(company.language, LAYOUT)[key].format(said_time(at, company.format))

    def exact(self, at: datetime | None) -> str:
        """Day and time; empty for none."""
        return said_datetime(at, self.book.company.format) if at else ""

    def day(self, at: date) -> str:  # or a moment of it
        return said_date(at, self.book.company.format)

    def machine_time(self, at: datetime) -> str:
        """For the attribute `datetime` of a `time`."""
        return at.astimezone(self.book.company.zone).isoformat(timespec="minutes")

    def who(self, id: str | None) -> str:
        """A person's name, a role's label, the machine, or the id itself."""
        company = self.book.company
        if id in company.people:
            return company.people[id].name
        if id in company.roles:
            return company.roles[id].label
        return words.of(company.language, LAYOUT)["machine"] if id == "machine" else id or ""

    def why(self, reason: str | None) -> str:
        """Why something went wrong or did not happen, in the company's language as far as it is known there."""
        return said(reason, self.book.company.language)

    def in_english(self, text: str) -> bool:
        """Whether a sentence is in English on a page that is not: what it says of a service's own pages often is."""
        return self.book.company.language == "ko" and bool(text) and not _HANGUL.search(text)

    def phone(self, value: str) -> str:
        return said_phone(value, self.book.company.format)

    def money(self, value: Decimal) -> str:
        return said_money(value, self.book.company.format)
