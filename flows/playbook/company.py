"""What company, canvas, metrics and messages must keep beside their shape."""

from collections.abc import Iterable, Mapping

from flows.playbook import letters, rules, services, sources
from flows.playbook.hours import knows_holidays
from flows.playbook.load import Path_
from flows.playbook.metrics import Alert, Metric, Ratio
from flows.playbook.model import Book, Company, MessageText
from flows.playbook.sheet import Sheet

MEDIUMS = ("email", "sms", "lms", "alimtalk")  # what a customer can be written to by
_RESERVED_PLACES = ("circle", "internal")
_TELLS = frozenset({"missing_by", "zero_for", "unusual", "behind", "restated"})
_BELONGS = {
    "of": "use", "where": "use", "split": "use", "sale": "exchanges", "count": "exchanges",
    "claims": "exchanges", "due": "by",
}  # fmt: skip


def company(company: Company, sheet: Sheet) -> None:
    """company.yaml."""
    for name, role in company.roles.items():
        for place, person in enumerate(role.people):
            sheet.known(("roles", name, "people", place), person, company.people, "person under people")
        if not role.people:
            sheet.say(("roles", name), f"{name} has nobody; name at least one person")
        if role.backup is not None:
            others = [other for other in company.roles if other != name]
            sheet.known(("roles", name, "backup"), role.backup, others, "other role")
    for name in company.people:
        if name in company.roles or name == "machine":
            sheet.say(("people", name), f"{name} is a role as well; give the person another name", key=True)
    if company.country and not knows_holidays(company.country):
        known = f"no holidays are known for {company.country!r}; write two letters, such as KR"
        sheet.say(("country",), known)
    _connections(company, sheet)
    for medium, connection in company.mediums.items():
        _sends(company, connection, ("mediums", medium), sheet)


def _connections(company: Company, sheet: Sheet) -> None:
    twins(company.connections, ("connections",), sheet)
    for name, entry in company.connections.items():
        path: Path_ = ("connections", name)
        if name in services.BUILT_IN:
            sheet.say(path, f"{name} is a part of digilog; give the connection another name", key=True)
        if entry.connector in services.BUILT_IN:
            sheet.say((*path, "connector"), f"{entry.connector} is a part of digilog; it needs no connection")
            continue
        try:
            wrong = list(services.settings_problems(entry.connector, entry.settings))
        except ValueError as error:
            sheet.say((*path, "connector"), str(error))
            continue
        for setting, said in wrong:
            at = (*path, setting.partition(".")[0])
            sheet.say(at if setting in entry.settings else path, said, key="no such setting" in said)
        sources.here(entry, path, sheet)
        if entry.silent_after and not services.events_of(company, name):
            sheet.say((*path, "silent_after"), "nothing comes in by this connection; take silent_after away", key=True)


def twins(names: Iterable[str], path: Path_, sheet: Sheet) -> None:
    """`a-b` beside `a_b`: their secrets would have one name."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.replace("-", "_"), name)
        if other != name:
            sheet.say((*path, name), f"{name} is too much like {other}; choose another name", key=True)


def _sends(company: Company, connection: str, path: Path_, sheet: Sheet) -> None:
    try:
        actions = services.connector_of(company, connection).actions()
    except ValueError as error:
        sheet.say(path, str(error))
        return
    if connection in services.BUILT_IN or "send" not in actions:
        sheet.say(path, f"{connection} cannot send messages; name a connection that can, or outbox")


def canvas(book: Book, sheet: Sheet) -> None:
    """canvas.yaml."""
    canvas = book.canvas
    places = [*canvas.stages, *canvas.pools]
    for group, found in (("stages", canvas.stages), ("pools", canvas.pools), ("arrows", canvas.arrows)):
        for name in found:
            if name in _RESERVED_PLACES:
                sheet.say((group, name), f"{name} is a word of the language; choose another name", key=True)
    for group, names in (("pools", [*canvas.pools]), ("arrows", [*canvas.arrows])):
        for name in names:
            if name in canvas.stages or (group == "arrows" and name in canvas.pools):
                sheet.say((group, name), f"{name} is a place already; choose another name", key=True)
    for name, arrow in canvas.arrows.items():
        for key, place in (("from", arrow.source), ("to", arrow.to)):
            if place is None:
                sheet.say(("arrows", name), f"an arrow goes from and to; add {key}:")
            else:
                sheet.known(("arrows", name, key), place, places, "stage or pool")
    for name, kind in canvas.kinds.items():
        if kind.stage is not None:
            sheet.known(("kinds", name, "stage"), kind.stage, canvas.stages, "stage")


def metrics(book: Book, sheet: Sheet) -> None:
    """metrics.yaml."""
    found = book.metrics
    for name, metric in found.metrics.items():
        _metric(metric, ("metrics", name), book, sheet)
    for name, ratio in found.ratios.items():
        if name in found.metrics:
            sheet.say(("ratios", name), f"{name} is a metric as well; choose another name", key=True)
        _ratio(ratio, ("ratios", name), book, sheet)
    for name, alert in found.alerts.items():
        _alert(name, alert, book, sheet)
    for number, target in enumerate(found.targets):
        path: Path_ = ("targets", target.metric)
        if path not in sheet.document.values:
            path = ("targets", number, "metric")
        sheet.known(path, target.metric, [*found.metrics, *found.ratios], "metric or ratio")


def _metric(metric: Metric, path: Path_, book: Book, sheet: Sheet) -> None:
    places = [*book.canvas.stages, *book.canvas.arrows, *_RESERVED_PLACES]
    sheet.known((*path, "on"), metric.on, places, "place of canvas.yaml")
    if metric.channel is not None:
        sheet.known((*path, "channel"), metric.channel, book.company.channels, "channel of company.yaml")
    sources.unit(metric, path, book, sheet)
    source, at = metric.source, (*path, "source")
    given = [key for key in ("use", "exchanges", "minutes_of", "by") if getattr(source, key) is not None]
    if len(given) != 1:
        sheet.say(at, "a source is one of use: connection.action, exchanges: kind, minutes_of: role, by: role")
    for key, belongs in _BELONGS.items():
        if key in source.model_fields_set and getattr(source, belongs) is None:
            sheet.say((*at, key), f"{key} belongs to {belongs}; take it away", key=True)
    if source.exchanges is not None:
        sheet.known((*at, "exchanges"), source.exchanges, rules.kinds(book), "kind of exchange")
    if source.claims == "sale_day" and not metric.settle_days:
        sheet.notice(
            (*at, "claims"), "say by settle_days how long a sale may be given back; older days stay as they are"
        )
    if metric.day_basis == "source" and not metric.settle_days:
        said = (
            "say settle_days: 1 or more; where its day ends later than yours, yesterday is asked for before it is over"
        )
        sheet.notice((*path, "day_basis"), said)
    for key in ("by", "minutes_of"):
        if (role := getattr(source, key)) is not None:
            rules.who(role, book, (*at, key), sheet)
    if source.use is not None:
        try:
            action = services.action_of(book.company, source.use)
        except ValueError as error:
            sheet.say((*at, "use"), str(error))
            return
        if not {"since", "until"} <= set(action.parameters):
            sheet.say((*at, "use"), f"{source.use} gives no readings of days; name an action that does")
        sources.names(metric, path, book, sheet)


def _ratio(ratio: Ratio, path: Path_, book: Book, sheet: Sheet) -> None:
    for key, name in (("of", ratio.of), ("by", ratio.by)):
        sheet.known((*path, key), name, book.metrics.metrics, "metric")
        metric = book.metrics.metrics.get(name)
        if metric is None:
            continue
        if ratio.cohort is not None and metric.source.exchanges is None:
            sheet.say((*path, "cohort"), f"a cohort needs two metrics of exchanges; {name} is none", key=True)
        if ratio.cohort is None and metric.sum == "none":
            sheet.say((*path, key), f"the days of {name} do not add up (sum: none), and a ratio is one of sums")


def _alert(name: str, alert: Alert, book: Book, sheet: Sheet) -> None:
    path, found = ("alerts", name), book.metrics
    sheet.known(path, name, [*found.metrics, *found.ratios], "metric or ratio")
    if alert.to is not None:
        rules.who(alert.to, book, (*path, "to"), sheet)
    if not alert.model_fields_set & _TELLS:
        sheet.say(path, "say when somebody is told: missing_by, zero_for, unusual, behind or restated")
    if alert.behind and name not in {target.metric for target in found.targets}:
        sheet.say((*path, "behind"), f"{name} has no target to be behind; add one to targets")
    if name in found.ratios:
        for key in sorted(alert.model_fields_set & (_TELLS - {"behind"})):
            sheet.say((*path, key), f"{key} is asked of metrics; {name} is a ratio of two", key=True)


def messages(messages: Mapping[str, MessageText], book: Book, sheet: Sheet) -> None:
    """messages.yaml."""
    for path in sheet.document.cut:
        sheet.say(path, "what follows # is lost here; write the text below |- or in quotes")
    mediums = {*book.company.mediums, *MEDIUMS} - {"team"}
    for name, message in messages.items():
        sheet.known((name, "medium"), message.medium, mediums, "medium")
        if message.fallback is not None:
            sheet.known((name, "fallback"), message.fallback, mediums, "medium")
            if message.fallback == message.medium:
                sheet.say((name, "fallback"), "a fallback is another medium; change it or take it away")
        if "{{" in message.text:
            sheet.say((name, "text"), "a message has blanks as #{name}; {{ }} belongs into the playbook's values")
        for written, medium in (("medium", message.medium), ("fallback", message.fallback)):
            if said := letters.too_much(message, medium, book.company):
                sheet.notice((name, written), said)
        if letters.lacks_template(message, book.company):
            sheet.say(
                (name, "medium"), "an alimtalk is sent by its approved template; add provider_template with its id"
            )
        if message.purpose == "ad":
            sheet.notice((name,), f"{name} is an advert (purpose: ad); adverts are not yet sent")


def one_playbook_a_form(book: Book, sheets: Mapping[str, Sheet]) -> None:
    """A form opens cases of one playbook: its fields are that playbook's fields."""
    taken: dict[str, str] = {}
    for name, playbook in book.playbooks.items():
        start = playbook.start
        if start.event != "form.submitted" or start.connection is None:
            continue
        first = taken.setdefault(start.connection, name)
        if first != name:
            sheets[name].say(
                ("start", "connection"), f"the form {start.connection} starts {first} already; add another connection"
            )
