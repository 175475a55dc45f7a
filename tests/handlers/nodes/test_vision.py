from __future__ import annotations

import base64
from typing import Any

import pytest

from handlers import InputError
from handlers.llm.media import MAX_IMAGE_BYTES
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import SPEAKERS, Answer, OpenAI, standing_in
from tests.handlers.servers import Reply, http_server

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 1200
ENCODED = base64.b64encode(PNG).decode()


@pytest.mark.parametrize("speaker", SPEAKERS, ids=lambda speaker: speaker.provider)
def test_vision_shows_each_service_the_picture_in_its_way(monkeypatch: pytest.MonkeyPatch, speaker: OpenAI) -> None:
    """With the question after it; the answer streams."""
    lent = RecordingLent()
    config = {
        "provider": speaker.provider,
        "model": "m",
        "prompt": "What?",
        "imageInput": f"data:image/png;base64,{ENCODED}",
    }

    with standing_in(monkeypatch, speaker.provider, speaker.whole("A ", "cat"), path=speaker.path) as service:
        output = run("vision", config, lent=lent)

    assert (output.data["operation"], output.data["text"], output.data["usage"]["totalTokens"]) == (
        "analyze",
        "A cat",
        12,
    )
    assert lent.tokens == ["A ", "cat"]
    body = service.asked[0].body
    shown = {
        "openai": lambda: body["messages"][0]["content"],
        "anthropic": lambda: body["messages"][0]["content"],
        "google": lambda: body["contents"][0]["parts"],
    }[speaker.provider]()
    source = {"type": "base64", "media_type": "image/png", "data": ENCODED}
    assert (
        shown
        == {
            "openai": [
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}},
                {"type": "text", "text": "What?"},
            ],
            "anthropic": [{"type": "image", "source": source}, {"type": "text", "text": "What?"}],
            "google": [{"inlineData": {"mimeType": "image/png", "data": ENCODED}}, {"text": "What?"}],
        }[speaker.provider]
    )


def test_vision_takes_pictures_from_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace, the web, a text of base64, another node's file: several of them together."""
    lent = RecordingLent()
    stored = lent.files.write("cats/tom.png", PNG).to_json()
    speaker = SPEAKERS[0]

    with (
        http_server(Reply(headers={"Content-Type": "text/plain"}, body=PNG)) as web,
        standing_in(monkeypatch, "openai", speaker.whole("Cats"), path="/v1") as service,
    ):
        given = ["cats/tom.png", stored, f"{web.url}/tom", ENCODED, {"base64": ENCODED}]
        run("vision", {"model": "m", "imageInput": given}, lent=lent)

    *pictures, question = service.asked[0].body["messages"][0]["content"]
    assert [picture["image_url"]["url"] for picture in pictures] == [f"data:image/png;base64,{ENCODED}"] * 5
    assert question["text"] == "Describe this image."


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("data:text/plain,hello", "no picture that models read"),
        ("nowhere.png", "no file"),
        ([], "empty list"),
        ([f"data:image/png;base64,{ENCODED}"] * 11, "11 pictures"),
        ("data:image/png;base64,", "empty file"),
        (None, "names no file"),
    ],
)
def test_vision_of_what_is_no_picture_fails_and_asks_nobody(given: Any, message: str) -> None:
    """The author reads what was wrong with it."""
    with pytest.raises(InputError, match=message):
        run("vision", {"model": "m", "imageInput": given})


def test_vision_of_a_picture_that_is_too_large_fails() -> None:
    """No service would take it."""
    lent = RecordingLent()
    lent.files.write("large.png", PNG[:8] + b"0" * MAX_IMAGE_BYTES)

    with pytest.raises(InputError) as failure:
        run("vision", {"model": "m", "imageInput": "large.png"}, lent=lent)

    assert failure.value.code == "file_too_large"


def test_vision_generates_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """As imageGeneration does."""
    lent = RecordingLent()
    drawn = Answer(body={"created": 1, "data": [{"b64_json": ENCODED}]})

    with standing_in(monkeypatch, "openai", drawn, path="/v1"):
        output = run("vision", {"operation": "generate", "model": "gpt-image-2", "prompt": "A cat"}, lent=lent)

    [image] = output.data["images"]
    assert lent.files.stored[image["path"]] == (PNG, "image/png")
    assert output.data["operation"] == "generate"


@pytest.mark.parametrize(
    ("config", "wrong"),
    [
        ({"model": "m", "imageInput": "a.png"}, []),
        ({"model": "m", "image": "a.png"}, []),
        ({"model": "m"}, ["imageInput"]),
        ({"model": "m", "operation": "generate", "prompt": "x"}, []),
        ({"model": "m", "operation": "generate"}, ["prompt"]),
        ({"imageInput": "a.png"}, ["model"]),
    ],
)
def test_vision_as_drawn_is_checked(config: dict[str, Any], wrong: list[str]) -> None:
    """What an operation cannot do without."""
    assert [field for field, _ in check_config(CATALOGUE["vision"], config)] == wrong
