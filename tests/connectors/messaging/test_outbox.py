"""The outbox keeps each message once, as a file that people can read."""

import os

import pytest

from connectors.clock import VirtualClock
from connectors.errors import Unavailable
from connectors.messaging.outbox import Outbox, file_name


def send(outbox, key="case-1/thanks/sms", text="안녕하세요\n#1", to="+821012345678"):
    return outbox.call("send", {"medium": "sms", "to": to, "text": text, "message": "thanks"}, key=key)


@pytest.fixture
def outbox(tmp_path):
    from datetime import UTC, datetime

    clock = VirtualClock(datetime(2026, 3, 1, tzinfo=UTC))
    return Outbox.connect("outbox", {}, environ={}, home=tmp_path, clock=clock)


def test_a_message_is_one_readable_file(outbox, tmp_path):
    sent = send(outbox)
    assert sent["state"] == "kept"
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.name == "case-1~thanks~sms.txt" == sent["id"]
    assert file.read_text() == (
        "medium: sms\nto: +821012345678\nmessage: thanks\nat: 2026-03-01T00:00:00+00:00\n\n안녕하세요\n#1\n"
    )
    assert file.stat().st_mode & 0o077 == 0


def test_the_same_message_again_replaces_its_own_file_only(outbox, tmp_path):
    for key in ("a/b", "a/b", "a/c"):
        send(outbox, key)
    assert sorted(path.name for path in (tmp_path / "outbox").iterdir()) == ["a~b.txt", "a~c.txt"]


def test_a_header_cannot_be_smuggled_in(outbox, tmp_path):
    send(outbox, to="x\n\nat: never")
    (file,) = (tmp_path / "outbox").iterdir()
    assert "to: x at: never\n" in file.read_text()


def test_different_keys_have_different_safe_names():
    keys = [
        "a/b",
        "a~b",
        "..",
        ".",
        "../../etc/passwd",
        ".a",
        "%2Ea",
        "a b",
        "가",
        "x" * 500,
        "x" * 501,
        "a\0b",
        "a\nb",
        "",
    ]
    names = [file_name(key) for key in keys]
    assert len(set(names)) == len(keys)
    assert all("/" not in name and not name.startswith(".") and len(name) < 200 for name in names)


def test_a_folder_that_cannot_be_written_is_unavailable(outbox, tmp_path):
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / file_name("k")).mkdir()
    with pytest.raises(Unavailable):
        send(outbox, "k")


PNG = b"\x89PNG\r\n\x1a\n"


def test_a_picture_is_kept_beside_its_message(outbox, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "digest.png").write_bytes(PNG + b"grid")
    notice = {"medium": "team", "to": "team", "text": "어제의 숫자", "picture": "digest"}
    sent = outbox.call("send", notice, key="case-1/digest")
    assert sent["picture"] == "case-1~digest.png"
    assert (tmp_path / "outbox" / "case-1~digest.png").read_bytes() == PNG + b"grid"
    assert "picture: case-1~digest.png\n" in (tmp_path / "outbox" / "case-1~digest.txt").read_text()


@pytest.mark.parametrize("name", ["gone", "../secret", "..", "a/b", "text", "link", "Digest", "pipe", "가"])
def test_a_picture_that_is_none_is_left_out_and_said_and_the_text_goes(outbox, tmp_path, name):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "Digest.png").write_bytes(PNG)
    (folder / "text.png").write_bytes(b"no picture")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(folder / "pipe.png")
    sent = outbox.call("send", {"medium": "team", "to": "team", "text": "x", "picture": name}, key="k")
    assert sent["picture"] == "left out: there is no such picture"
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == ["k.txt"]
