"""What runs ask of people, answered as fast as can be."""

from __future__ import annotations

from executions.core.statuses import WaitpointStatus
from executions.models import Waitpoint
from executions.waitpoints import services
from executions.waitpoints.errors import NotOpen
from handlers import PauseKind


def answer_to(prompt: str) -> str:
    return f"yes to {prompt}"


def answer_all() -> None:
    """Answer all that is asked now. What an accident cut short is asked again or is not, as for a person."""
    asked = Waitpoint.objects.filter(status=WaitpointStatus.OPEN, kind=PauseKind.HUMAN)
    for waitpoint_id, prompt in asked.values_list("pk", "prompt"):
        try:
            services.answer(waitpoint_id, answer_to(str(prompt)), by="clerk", kinds=[PauseKind.HUMAN])
        except NotOpen:  # its branch was stopped meanwhile
            continue
