"""Runs that ask people and wait for moments: in line, beside other work, and in each iteration of a loop."""

from __future__ import annotations

from collections import Counter
from random import Random
from uuid import UUID

from executions.core import EventType
from executions.core.scopes import path
from executions.core.statuses import WaitpointStatus
from executions.faults import Fault
from executions.models import Event, Waitpoint
from handlers import JSONObject
from tests.chaos.answers import answer_to
from tests.chaos.workloads import Family, Workload, completed, drawn, effect, output


def _draw(rng: Random) -> Workload:
    count, word = rng.randint(2, 3), rng.choice("abc")
    nodes = {
        "before": effect(rng, "{{inputs.word}}"),
        "ask": _question("{{before.result}}"),
        "nap": {"config": {"duration": rng.randint(0, 500)}},
        "after": effect(rng, "{{ask.result}}"),
        "loop": {"config": {"loopType": "count", "count": count}},
        "each": _question("{{loop.index}}"),
        "inside": effect(rng, "{{each.result}}", most_ms=100),
        "out": output("{{after.result}}", "{{loop.results}}"),
    }
    lines = ["start -> before -> ask -> nap -> after -> out", "before -> loop -> out", "loop:body -> each -> inside"]
    answers = [{"result": answer_to(str(index))} for index in range(count)]
    bodies = [f"loop[{index}]/{node}" for index in range(count) for node in ("each", "inside")]
    return Workload(
        definition=drawn(
            ", ".join(lines),
            types={"ask": "humanReview", "each": "humanReview", "nap": "wait", "loop": "loop"},
            nodes=nodes,
        ),
        inputs={"word": word},
        out=[answer_to(word), [{"each": answer, "inside": answer} for answer in answers]],
        visits=completed("start", "before", "ask", "nap", "after", "loop", *bodies, "out"),
    )


def _question(prompt: str) -> JSONObject:
    return {"config": {"prompt": prompt, "inputType": "text", "variableName": "result"}}


def _judge(execution_id: UUID) -> list[str]:
    """Each visit that waits has one waitpoint, which came to its end, and is told of once."""
    found = []
    waitpoints = list(Waitpoint.objects.filter(execution=execution_id))
    for waitpoint in waitpoints:
        if waitpoint.status != WaitpointStatus.COMPLETED or not waitpoint.folded:
            where, told = path(waitpoint.scope, str(waitpoint.node_id)), "folded" if waitpoint.folded else "not folded"
            found.append(f"what {where} waits for is {waitpoint.status}, {told}")
    waiting = Event.objects.filter(execution=execution_id, type=EventType.NODE_WAITING)
    told_of = Counter((event.scope, event.node_id) for event in waiting)
    opened = Counter((waitpoint.scope, waitpoint.node_id) for waitpoint in waitpoints)
    if told_of != opened or set(opened.values()) != {1}:
        found.append(f"it waited for {dict(opened)}, and told of {dict(told_of)}")
    return found


FAMILY = Family(name="pauses", draw=_draw, judge=_judge, reaches=frozenset({Fault.IN_RESUME, Fault.IN_SNAPSHOT}))
