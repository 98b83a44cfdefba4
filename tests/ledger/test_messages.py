"""A notice to the team: its picture goes to mediums that can show one."""

import pytest

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(("picture", "kept"), [("digest", True), ("gone", False), ("", False)])
def test_a_notice_carries_its_picture_by_name(shop, picture, kept):
    (shop.home / "pictures").mkdir()
    (shop.home / "pictures" / "digest.png").write_bytes(PNG)
    shop.open([shop.machine("tell", "team.notify", {"text": "왔다", "picture": picture})])
    shop.asks()
    shop.turns()
    assert shop.case()["outcome"] == "done"
    assert [path.suffix for path in sorted((shop.home / "outbox").iterdir())] == ([".png"] if kept else []) + [".txt"]


def test_a_medium_that_shows_no_picture_is_handed_none(shop):
    shop.connect("chat", connector="chat_webhook", shape="jandi")
    shop.files["company"]["mediums"] = {"team": "chat"}
    shop.open([shop.machine("tell", "team.notify", {"text": "왔다", "picture": "digest"})])
    shop.calls.answers_to["chat.send"] = {"id": "1"}
    shop.asks()
    shop.turns()
    (sent,) = [one for one in shop.calls.sent if one.connection == "chat"]
    assert (sent.arguments["text"], "picture" in sent.arguments) == ("왔다", False)
