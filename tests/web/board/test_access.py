"""Who gets in: nobody without a login, nobody beyond their role, and nothing that is not in the table."""

import http.client
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from flows.people import users
from flows.people.users import ROLES as ORDER
from flows.store import tables as t
from flows.web.app import ROUTES
from flows.web.board.ask import COOKIE
from flows.web.rate import Rate
from tests.web.board.conftest import PASSWORD, ROLES, Board, Visitor
from tests.web.conftest import Door

_SEAL = re.compile(r'name="_seal" value="([0-9a-f]+)"')
_BOARD = [row for row in ROUTES if row[2] != "open"]


def _seal(door: Door, path: str = "/login") -> str:
    found = _SEAL.search(door.get(path).text)
    return found[1] if found else ""


def _log_in(door: Door, name: str, password: str, **more: str) -> object:
    return door.post("/login", {"_seal": _seal(door), "name": name, "password": password, **more})


@pytest.mark.parametrize(
    ("method", "path", "who", "_does"), _BOARD, ids=lambda one: getattr(one, "__name__", str(one)[:40])
)
@pytest.mark.parametrize("name", ["han", "yoon", "ji", None])
def test_each_route_lets_in_its_role_and_those_above(
    town: Board, name: str | None, method: str, path: str, who: str, _does: object
) -> None:
    visitor = town.log_in(name) if name else Visitor(town.door)
    address = re.sub(r"\{\w+\}", "7", path)
    reply = visitor.get(address) if method == "GET" else visitor.post(address, {"_press": "nothing"})
    if name is None:
        assert reply.status == 303
        assert reply.headers["location"].startswith("/login")
    elif ORDER.index(ROLES[name]) < ORDER.index(who):  # type: ignore[arg-type]
        assert reply.status == 403
        assert "takes the role" in reply.text
    else:
        assert reply.status in {200, 303, 404, 422}  # 404: there is no case 7


def test_the_table_names_every_route_once_with_who_may() -> None:
    assert len({(method, path) for method, path, _, _ in ROUTES}) == len(ROUTES)
    assert {who for _, _, who, _ in ROUTES} <= {"open", *ORDER}
    assert all(
        who in {"act", "admin"} or path in {"/account", "/logout"}
        for method, path, who, _ in _BOARD
        if method == "POST"
    )


@pytest.mark.parametrize("name", [*ROLES, None])
def test_no_trick_with_a_path_gets_past_the_table(town: Board, name: str | None) -> None:
    visitor = town.log_in(name) if name else Visitor(town.door)
    tricks = _tricks(2000)
    line = http.client.HTTPConnection("127.0.0.1", town.door.port, timeout=15)
    past = []
    for method, path in tricks:
        line.request(method, path, headers={"cookie": f"{COOKIE}={visitor.cookie}"})
        answer = line.getresponse()
        body = answer.read()
        if answer.status not in {400, 404, 405} or b"Traceback" in body:
            past.append((method, path, answer.status))
        if answer.getheader("connection") == "close":
            line.close()
    line.close()
    assert len(tricks) == 2000
    assert past == []


def _tricks(count: int) -> list[tuple[str, str]]:
    """Paths near those of the table, and in none of its rows."""
    chance = random.Random(136)
    known = [
        path.replace("{id}", "7ay7pnjq6s").replace("{connection}", "trial-form").replace("{name}", "partner")
        for _, path, _, _ in ROUTES
    ]
    parts = ["..", ".", "%2e%2e", "%2f", "%5c", "%00", ";x", "//", "/", "%252e", "etc/passwd", ".env", "%c0%ae", "~",
             "%0d%0a", "\\", "digilog.db", ".html", ".git/config", "admin", "%20", "@", ":", "*", "templates", "%u002e",
             "style.css", "cases", "layout.html", "|", "static"]  # fmt: skip
    found: dict[tuple[str, str], None] = {}
    while len(found) < count:
        path = chance.choice(known)
        for _ in range(chance.randint(1, 3)):
            match chance.randint(0, 3):
                case 0:
                    path += "/" + chance.choice(parts)
                case 1:
                    place = chance.randint(1, len(path))
                    path = path[:place] + chance.choice(parts) + path[place:]
                case 2:
                    path = "/" + chance.choice(parts) + path
                case 3:
                    path = path.upper() if chance.random() < 0.3 else path + chance.choice(parts)
        method = chance.choice(["GET", "GET", "GET", "POST", "PUT", "HEAD", "DELETE"])
        if path.isascii() and "?" not in path and "#" not in path and not _named(path):
            found[method, path] = None
    return list(found)


def _named(path: str) -> bool:
    return any(re.fullmatch(re.sub(r"\{\w+\}", "[A-Za-z0-9._-]+", known), path) for _, known, _, _ in ROUTES)


def test_a_form_without_its_token_does_nothing(board: Board) -> None:
    case = board.submit()["case_id"]
    visitor = board.actor
    fields = {"_press": "hold", "reason": "because"}
    others = board.admin.token()
    for token in ("", "0" * 40, others, visitor.token()[:-1]):
        assert visitor.post(f"/cases/{case}", fields, token=token).status == 403
    assert board.door.rows(select(t.case.c.held)) == [{"held": None}]
    assert visitor.post(f"/cases/{case}", fields).status == 303


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]
)
def test_another_sites_page_can_neither_act_nor_log_in(board: Board, headers: dict[str, str]) -> None:
    visitor = board.actor
    token = visitor.token()
    visitor.headers = headers
    assert visitor.post("/logout", {}, token=token).status == 403
    fields = {"_seal": _seal(board.door), "name": "han", "password": PASSWORD}
    assert board.door.post("/login", fields, headers).status == 403


def test_a_login_makes_a_session_of_its_own_and_says_where_to_go_on(board: Board) -> None:
    planted = "planted-by-somebody-else"
    fields = {"_seal": _seal(board.door), "name": "Yoon", "password": PASSWORD, "next": "/cases"}
    reply = board.door.post("/login", fields, {"cookie": f"{COOKIE}={planted}"})
    cookie = reply.headers["set-cookie"]
    assert (reply.status, reply.headers["location"]) == (303, "/cases")
    assert planted not in cookie
    assert {"httponly", "samesite=strict", "path=/"} <= {one.strip().lower() for one in cookie.split(";")}
    assert Visitor(board.door, planted).get("/cases").status == 303
    secret = re.search(rf"{COOKIE}=([^;]+)", cookie)[1]  # type: ignore[index]
    assert Visitor(board.door, secret).get("/cases").status == 200
    assert secret not in str(board.door.rows(select(t.board_session)))


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""]
)
def test_a_login_leads_to_no_other_site(town: Board, back: str) -> None:
    fields = {"_seal": _seal(town.door), "name": "ji", "password": PASSWORD, "next": back}
    assert town.door.post("/login", fields).headers["location"] == "/"


def test_an_unknown_name_and_a_wrong_password_are_answered_alike(town: Board) -> None:
    unknown, wrong = (_log_in(town.door, name, "not the password") for name in ("nobody1", "yoon"))
    assert unknown.status == wrong.status == 401  # type: ignore[attr-defined]
    assert unknown.text.replace("nobody1", "yoon") == wrong.text  # type: ignore[attr-defined]
    with town.door.store.read() as session:
        costs = {users.password_of(session, name).split("$")[3] for name in ("nobody1", "yoon")}
    assert costs == {"m=19456,t=2,p=1"}  # the same work is done for both


def test_tries_are_counted_by_address_and_by_name(board: Board) -> None:
    board.door.context.logins = Rate(3)
    statuses = [_log_in(board.door, f"guess{number}", "x").status for number in range(4)]  # type: ignore[attr-defined]
    assert statuses == [401, 401, 401, 429]
    board.door.context.logins, board.door.context.names = Rate(100), Rate(3)
    for _ in range(3):
        _log_in(board.door, "yoon", "x")
    assert _log_in(board.door, "yoon", PASSWORD).status == 429  # type: ignore[attr-defined]
    assert _log_in(board.door, "han", PASSWORD).status == 303  # type: ignore[attr-defined]


def test_no_single_address_can_shut_a_user_out(board: Board) -> None:
    statuses = [_log_in(board.door, "yoon", "x").status for _ in range(11)]  # type: ignore[attr-defined]
    assert statuses == [401] * 10 + [429]
    board.door.context.logins = Rate(10)  # as from another address
    assert _log_in(board.door, "yoon", PASSWORD).status == 303  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("made", "seen", "status"), [(timedelta(days=6), timedelta(hours=11), 200), (timedelta(days=8), timedelta(0), 303),
                                 (timedelta(days=1), timedelta(hours=13), 303)]
)  # fmt: skip
def test_a_session_ends_when_idle_and_at_the_latest_after_a_week(
    town: Board, made: timedelta, seen: timedelta, status: int
) -> None:
    visitor, now = town.viewer, datetime.now(UTC)
    mine = t.board_session.c.id == users._id(visitor.cookie)
    with town.door.store.write() as session:
        session.execute(update(t.board_session).where(mine).values(made_at=now - made, seen_at=now - seen))
    assert visitor.get("/cases").status == status


def test_signing_out_ends_one_session_and_everywhere_all(board: Board) -> None:
    first, second, third = board.actor, board.actor, board.actor
    assert first.post("/logout", {}).status == 303
    assert [one.get("/").status for one in (first, second, third)] == [303, 200, 200]
    assert second.post("/account", {"_press": "everywhere"}).status == 303
    assert [one.get("/").status for one in (second, third)] == [303, 303]
    ended = board.door.rows(select(t.audit).where(t.audit.c.what.in_(("logout", "signed out everywhere"))))
    assert [(one["who"], one["what"]) for one in ended] == [("yoon", "logout"), ("yoon", "signed out everywhere")]


def test_a_new_password_takes_the_old_one_and_ends_all_sessions(board: Board) -> None:
    visitor = board.actor
    assert visitor.post("/account", {"old": "wrong", "new": "another long one"}).status == 422
    assert visitor.post("/account", {"old": PASSWORD, "new": "short"}).status == 422
    assert visitor.post("/account", {"old": PASSWORD, "new": "another long one"}).status == 303
    assert visitor.get("/").status == 303
    assert _log_in(board.door, "yoon", PASSWORD).status == 401  # type: ignore[attr-defined]
    assert _log_in(board.door, "yoon", "another long one").status == 303  # type: ignore[attr-defined]


def test_who_is_shut_out_while_a_password_is_compared_does_not_come_in_again_by_it(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, matches = board.actor, users.matches
    token = visitor.token()

    def slowly(hashed: str, password: str) -> bool:
        with board.door.store.write() as session:
            users.disable(session, "yoon", "han", datetime.now(UTC))
        return matches(hashed, password)

    monkeypatch.setattr(users, "matches", slowly)
    visitor.post("/account", {"old": PASSWORD, "new": "another long one"}, token=token)
    monkeypatch.undo()
    assert [row["disabled"] for row in board.door.rows(select(t.board_user)) if row["name"] == "yoon"] == [True]
    assert _log_in(board.door, "yoon", "another long one").status == 401  # type: ignore[attr-defined]


def test_odd_words_in_an_address_are_no_fault_of_ours(town: Board) -> None:
    pages = ("/cases", "/outbox", "/outbox?view=unsent", "/search", "/quarantine", "/exchanges", "/playbooks", "/")
    names = ("q", "state", "before", "view", "told", "party", "who", "playbook", "step")
    far = "9" * 18
    values = ("%00", "a%00b", "%ED%A0%80", f"{far}.abc", f"{far}.e.{far}", f"{far}.j.{far}", "%D9%A3.abc")
    asked = [f"{page}{'&' if '?' in page else '?'}{name}={one}" for page in pages for name in names for one in values]
    kinds = {path.split("/")[1] for _, path, _, _ in _BOARD if "{id}" in path}
    ids = ("0", "-1", far, far + "9", "9" * 5000, "1e9", "None")
    visitor = town.admin
    for path in [*asked, *(f"/{kind}/{id}" for kind in kinds for id in ids)]:
        assert visitor.get(path).status in {200, 303, 404, 405}, path


@pytest.mark.parametrize("at", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-11-22T10:00+25:00"])
def test_a_day_beyond_all_calendars_is_wrong_and_no_fault_of_ours(town: Board, at: str) -> None:
    typed = {"who": "010-1234-5678", "kind": "purchase", "amount": "100", "once": "abcdefghjk", "at": at}
    assert town.actor.post("/exchanges", typed).status == 422


def test_half_a_character_in_an_event_is_shown_and_its_page_stays(board: Board) -> None:
    assert board.door.send(rb'{"id": "e1", "said": "\ud800 <script>"}').status == 202
    with board.door.store.write() as session:
        session.execute(update(t.event).values(state="quarantined", reason="odd"))
    reply = board.admin.get("/quarantine/1")
    assert reply.status == 200
    assert "&lt;script&gt;" in reply.text


def test_an_odd_origin_is_foreign_and_no_fault_of_ours(town: Board) -> None:
    for origin in ("http://[", "x", "", "http://127.0.0.1"):
        reply = town.door.post(
            "/login", {"_seal": _seal(town.door), "name": "ji", "password": PASSWORD}, {"origin": origin}
        )
        assert reply.status == 403, origin


def test_who_is_disabled_is_out_at_once_and_the_last_admin_stays(board: Board) -> None:
    visitor, now = board.actor, datetime.now(UTC)
    with board.door.store.write() as session:
        users.disable(session, "yoon", "han", now)
    assert visitor.get("/").status == 303
    assert _log_in(board.door, "yoon", PASSWORD).status == 401  # type: ignore[attr-defined]
    with pytest.raises(users.UserError, match="only admin"), board.door.store.write() as session:
        users.disable(session, "han", "han", now)


def test_the_first_admin_comes_by_the_code_of_the_terminal_once(door: Door) -> None:
    with door.store.write() as session:
        old, code = users.make_code(session), users.make_code(session)
    assert code
    assert "/setup" in door.get("/login").text
    fields = {"_seal": _seal(door, "/setup"), "name": "han", "password": PASSWORD}
    for wrong in ("", str(old), code[:-1], "0"):
        assert door.post("/setup", {**fields, "code": wrong}).status == 422
    made = door.post("/setup", {**fields, "code": code.upper()})
    assert (made.status, made.headers["location"]) == (303, "/")
    assert door.get("/setup").status == 404
    assert door.post("/setup", {**fields, "name": "eve", "code": code}).status == 404
    with door.store.write() as session:
        assert users.make_code(session) is None
        assert users.users(session)[0]["role"] == "admin"


def test_from_outside_the_board_is_reached_only_when_it_is_said_so(board: Board) -> None:
    outside = {"host": "studio.example"}
    assert [board.door.ask("GET", path, headers=outside).status for path in ("/", "/login", "/cases", "/account")] == [
        404
    ] * 4
    for passed_on in (
        {"x-forwarded-for": "192.0.2.9"},
        {"Forwarded": "for=192.0.2.9"},
        {"X-Forwarded-Host": "x.example"},
        {"X-Real-IP": "192.0.2.9"},
        {"X-Forwarded-Proto": "https"},
        {"Via": "1.1 proxy.example"},
        {"CF-Connecting-IP": "192.0.2.9"},
    ):
        asked = [board.door.ask("GET", path, headers=passed_on).status for path in ("/login", "/setup", "/readyz", "/")]
        assert asked == [404] * 4  # a tunnel that asks for 127.0.0.1
        assert board.door.ask("GET", "/form/trial-form", headers=passed_on).status == 200
    from flows.web.app import Guard

    opened = Guard(None, "studio.example", board_public=True)  # type: ignore[arg-type]
    assert [opened._reaches(path) for path in (b"/", b"/login", b"/cases", b"/setup", b"/readyz")] == [
        True, True, True, False, False,
    ]  # fmt: skip


def test_every_page_forbids_what_is_inline_and_holds_none(town: Board) -> None:
    visitor = town.admin
    for _, path, _, _ in [row for row in _BOARD if row[0] == "GET" and "{" not in row[1]] + [("", "/login", "", "")]:
        reply = visitor.get(path)
        assert reply.status == 200, path
        assert "default-src 'self'" in reply.headers["content-security-policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", reply.text), path
        assert len(reply.text.encode()) <= 60_000, path
