"""The hostile tests' company: the same work reached by a form and by a webhook; every sink of a text."""

from pathlib import Path
from textwrap import indent

SECRET = "whsec_aG9zdGlsZSB0ZXN0cyBvd24gc2VjcmV0LCBub3RoaW5nIGVsc2U="
FORM, HOOK = "/form/ask", "/in/hook"

_COMPANY = """\
name: Onda
zone: Asia/Seoul
language: en
hours: {mon-sun: 00:00-24:00}
roles: {owner: {label: Owner, people: [han]}}
people: {han: {name: Han}}
sender: {name: Onda, phone: 02-555-0101}
connections:
  ask:  {connector: own_form}
  hook: {connector: webhook, event: inquiry.received}
  list: {connector: excel, file: list.xlsx}
MORE
mediums: {sms: outbox, team: outbox}
"""
_MESSAGES = "thanks: {medium: sms, purpose: info, text: '#{name}, you wrote: #{what}'}\n"
_PLAYBOOK = """\
playbook: NAME
title: Somebody asks
state: operate
system: customer
stage: apply
owner: owner
purpose: Whoever asks hears from us.
start: {START}
fields:
  name:  {type: text, label: Name}
  phone: {type: phone, label: Phone}
  what:  {type: text, label: What}
  count: {type: integer, label: How many, required: no}
  sum:   {type: money, label: How much, required: no}
  at:    {type: datetime, label: When, required: no}
  day:   {type: date, label: Day, required: no}
case: phone
overlap: parallel
steps:
"""
_STEPS = """\
- {id: log, do: Write it down, by: machine, use: ledger.record, with: {kind: inquiry, note: "{{ what }}"}, MORE}
- {id: thank, do: Say thanks, by: machine, use: message.send, MORE,
   with: {message: thanks, values: {name: "{{ name }}", what: "{{ what }}"}}, fallback: {by: owner, do: Call}}
- {id: list, do: Put it on the list, by: machine, use: list.upsert_row, MORE,
   with: {row_id: "{{ case.id }}", row: {name: "{{ name }}", what: "{{ what }}", sum: "{{ sum | default('-') }}"}}}
- {id: tell, do: Tell us, by: machine, use: team.notify, MORE,
   with: {subject: "{{ name }}", text: "{{ name }} asks: {{ what }}"}}
""".replace("MORE", "by_hand: 1m, expect: it is there")
_ANSWER = (
    "- {id: answer, do: Answer, by: owner, by_hand: 1m, expect: answered, form: {said: {type: text, label: Said}}}\n"
)


def write(folder: Path, *, more_connections: str = "", more_steps: str = "") -> Path:
    """Write the company's files, with more connections and steps before the last one if given."""
    folder.mkdir(parents=True)
    steps = indent(_STEPS + more_steps + _ANSWER, "  ")
    texts = {"company": _COMPANY.replace("MORE", indent(more_connections, "  ")), "messages": _MESSAGES}
    texts["canvas"] = "stages: {apply: {label: Apply}}\n"
    for name, start in (
        ("form", "event: form.submitted, connection: ask"), ("hook", "event: inquiry.received, connection: hook"),
    ):  # fmt: skip
        texts[name] = _PLAYBOOK.replace("NAME", name).replace("START", start) + steps
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder
