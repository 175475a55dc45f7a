from __future__ import annotations

import base64
from typing import Any

import pytest

from handlers import ConfigError, InputError, ProviderError
from handlers.llm.media import MAX_INLINE_BYTES
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.llm.speakers import SPEAKERS, Answer, standing_in

PNG, JPEG = b"\x89PNG\r\n\x1a\npicture", b"\xff\xd8\xffpicture"


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def drawn(*contents: bytes, **more: Any) -> Answer:
    return Answer(body={"created": 1, "data": [{"b64_json": encoded(content)} for content in contents], **more})


def test_image_generation_stores_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of the run; the output refers to it, and counts."""
    lent = RecordingLent()
    usage = {
        "input_tokens": 3,
        "output_tokens": 40,
        "total_tokens": 43,
        "input_tokens_details": {"image_tokens": 0, "text_tokens": 3},
    }

    with standing_in(monkeypatch, "openai", drawn(PNG, JPEG, usage=usage), path="/v1") as service:
        config = {"prompt": "A cat", "n": 2, "size": "1024x1024", "quality": "low", "background": "transparent"}
        output = run("imageGeneration", config, lent=lent)

    first, second = output.data["images"]
    assert lent.files.stored[first["path"]] == (PNG, "image/png")
    assert lent.files.stored[second["path"]] == (JPEG, "image/jpeg")
    assert (first["name"], second["name"]) == ("image-1.png", "image-2.jpg")
    assert (output.data["model"], output.usage.total_tokens) == ("gpt-image-2.5-flare", 43)
    assert service.asked[0].body == {
        "model": "gpt-image-2.5-flare",
        "prompt": "A cat",
        "n": 2,
        "size": "1024x1024",
        "quality": "low",
        "background": "transparent",
        "stream": False,
    }


def test_image_generation_of_others_asks_for_the_picture_and_not_for_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An address would be gone within the hour."""
    with standing_in(monkeypatch, "xai", drawn(JPEG), path="/v1") as service:
        run("imageGeneration", {"provider": "xai", "prompt": "A cat"})

    assert service.asked[0].body["response_format"] == "b64_json"


def test_image_generation_of_google_draws_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its service makes one at a time."""
    parts = [{"text": "Here."}, {"inlineData": {"mimeType": "image/png", "data": encoded(PNG)}}]
    answer = Answer(
        body={
            "candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 2, "candidatesTokenCount": 10},
        }
    )

    with standing_in(monkeypatch, "google", answer) as service:
        output = run("imageGeneration", {"provider": "google", "prompt": "A cat", "n": 2})

    assert [image["name"] for image in output.data["images"]] == ["image-1.png", "image-2.png"]
    assert output.usage.total_tokens == 24
    assert [asked.path for asked in service.asked] == ["/models/gemini-2.5-flash-image:generateContent"] * 2


def test_image_generation_under_a_name_of_the_author(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path in the workspace, numbered when there are several."""
    lent = RecordingLent()

    with standing_in(monkeypatch, "openai", drawn(PNG, PNG), path="/v1"):
        run("imageGeneration", {"prompt": "A cat", "n": 2, "filename": "cats/tom"}, lent=lent)

    assert list(lent.files.stored) == ["cats/tom-1.png", "cats/tom-2.png"]


def test_image_generation_as_base64_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """An output is no place for a film."""
    config = {"prompt": "A cat", "returnAs": "base64"}
    with standing_in(monkeypatch, "openai", drawn(PNG), drawn(PNG + b"0" * MAX_INLINE_BYTES), path="/v1"):
        output = run("imageGeneration", config)
        with pytest.raises(InputError, match="Set returnAs to file") as failure:
            run("imageGeneration", config)

    assert output.data["images"] == [{"base64": encoded(PNG), "contentType": "image/png", "size": len(PNG)}]
    assert failure.value.code == "too_large_for_output"


@pytest.mark.parametrize("data", [[{"url": "http://elsewhere"}], [{"b64_json": "%%%"}]])
def test_image_generation_without_a_picture_fails(monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    """The service said that all was well."""
    answer = Answer(body={"created": 1, "data": data})

    with standing_in(monkeypatch, "openai", answer, path="/v1"), pytest.raises(ProviderError) as failure:
        run("imageGeneration", {"prompt": "A cat"})

    assert failure.value.code == "invalid_response"


def test_image_generation_that_is_refused_tells_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the service's own words."""
    refused = Answer(status=400, body=SPEAKERS[0].error("Your request was rejected.", "moderation_blocked"))

    with standing_in(monkeypatch, "openai", refused, path="/v1"), pytest.raises(ProviderError, match="was rejected"):
        run("imageGeneration", {"prompt": "x"})


def test_image_generation_by_a_provider_that_does_not_draw_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one whose models nobody knows asks for a name."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any")

    with pytest.raises(ConfigError, match="anthropic has no image generation"):
        run("imageGeneration", {"provider": "anthropic", "model": "m", "prompt": "x"})
    with pytest.raises(ConfigError, match="name one of mistral"):
        run("imageGeneration", {"provider": "mistral", "prompt": "x"})
