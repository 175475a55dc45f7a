"""Pictures that a model makes, handed over."""

from __future__ import annotations

from typing import Any

from handlers.base import JSONObject, NodeInput, Usage
from handlers.llm.asking import usage_json
from handlers.llm.calling import call
from handlers.llm.chat import Meter
from handlers.llm.fields import AccessFields
from handlers.llm.media import MediaFields, hand_over
from handlers.llm.requests import DrawRequest
from handlers.ports import Lent


def draw(
    node: NodeInput[Any], lent: Lent, access: AccessFields, media: MediaFields, request: DrawRequest
) -> tuple[JSONObject, Usage | None]:
    """`{"images", "revisedPrompt", "usage", "model", "provider"}`, and what it took. Raises HandlerError."""
    drawn = call(lent, access, request.model, lambda dialect, place: dialect.draw(place, request))
    meter = Meter()
    meter.add(drawn.counted, provider=access.provider, model=request.model)
    usage = meter.usage(provider=access.provider, model=request.model)
    return {
        "images": [
            hand_over(node, lent, image, media, number=number if len(drawn.images) > 1 else None)
            for number, image in enumerate(drawn.images, start=1)
        ],
        "revisedPrompt": drawn.revised_prompt,
        "usage": None if usage is None else usage_json(usage),
        "model": request.model,
        "provider": access.provider,
    }, usage
