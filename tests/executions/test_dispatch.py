from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import redis
from celery.canvas import Signature
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from executions import dispatch, queues
from executions.dispatch import Ready
from handlers import Lane
from tests.fakes import Messages
from workflows.ids import uuid7

RUN = uuid7()


def ready(times: int, lane: Lane = Lane.IO, **more: Any) -> list[Ready]:
    return [Ready(id=uuid7(), lane=lane, **more) for _ in range(times)]


def shares(messages: Messages) -> list[tuple[str, int, bool]]:
    """Of each message that runs nodes: its queue, how many, and whether it drives by itself."""
    return [
        (message.options["queue"], len(message.args[0]), message.args[1])
        for message in messages.waiting
        if message.task == dispatch.RUN_NODES
    ]


def test_drive_is_asked_for_by_id(messages: Messages) -> None:
    dispatch.drive(RUN)

    [message] = messages.waiting
    assert (message.task, message.args) == ("executions.drive", (str(RUN),))
    assert message.options == {"queue": "drive", "ignore_result": True}


def test_nodes_are_asked_for_by_id(messages: Messages) -> None:
    """Nobody waits for a result: a server, which knows the tasks by name only, would listen for one otherwise."""
    [node] = ready(1)

    dispatch.run_nodes(RUN, [node])

    [message] = messages.waiting
    assert (message.task, message.args) == ("executions.run_nodes", ([str(node.id)], "drive"))
    assert message.options == {"queue": "io", "ignore_result": True}


@pytest.mark.parametrize(
    ("nodes", "sent"),
    [
        (ready(3), [("io", 1, "drive")] * 3),  # a slow node is a message of its own
        (ready(23, cheap=True), [("io", 10, "drive"), ("io", 10, "drive"), ("io", 3, "drive")]),  # cheap ones share
        (ready(2, cheap=True) + ready(1), [("io", 1, "drive"), ("io", 2, "drive")]),  # but not with slow ones
        (
            ready(2, Lane.CPU, cheap=True) + ready(2, Lane.IO, cheap=True),
            [("cpu", 2, "drive"), ("io", 2, "drive")],  # nor across lanes
        ),
        (ready(2, folds_early=False) + ready(1), [("io", 1, "look"), ("io", 1, "look"), ("io", 1, "drive")]),
        ([], []),
    ],
)
def test_nodes_beside_others_see_to_the_fold_themselves(messages: Messages, nodes: Sequence[Ready], sent: Any) -> None:
    """What is added to nodes that are out already has no chord to be folded by: it drives, or looks who else would."""
    dispatch.run_nodes(RUN, nodes)

    assert shares(messages) == sent


@pytest.mark.parametrize(
    ("nodes", "sent"),
    [
        (ready(3, folds_early=False), [("io", 1, "leave")] * 3),  # all that follows waits for all of them
        (ready(2, folds_early=False) + ready(1), [("io", 1, "leave"), ("io", 1, "leave"), ("io", 1, "drive")]),
        (
            ready(11, cheap=True, folds_early=False) + ready(1, cheap=True),
            [("io", 10, "leave"), ("io", 2, "drive")],  # one that folds early makes its message do so
        ),
    ],
)
def test_wave_is_a_chord_whose_body_drives(messages: Messages, nodes: Sequence[Ready], sent: Any) -> None:
    dispatch.run_nodes(RUN, nodes, wave=True)

    assert shares(messages) == sent
    [(_, body)] = messages._open
    assert (body.task, body.args) == ("executions.drive", (str(RUN),))


@pytest.mark.parametrize("nodes", [ready(1, folds_early=False), ready(10, cheap=True, folds_early=False)])
def test_wave_of_one_message_is_no_chord_and_looks_by_itself(messages: Messages, nodes: Sequence[Ready]) -> None:
    """There is no body that would."""
    dispatch.run_nodes(RUN, nodes, wave=True)

    assert shares(messages) == [("io", len(nodes), "look")]
    assert messages._open == []


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("away"),
        RedisConnectionError("away"),
        ConnectionRefusedError("away"),
        RuntimeError("away"),  # "Retry limit exceeded", says Celery of the store that counts a chord's headers
    ],
)
def test_broker_that_is_away_costs_time_and_no_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """The rows say what is to be done, and the sweep sends it when the broker is back."""

    def apply_async(self: Signature, **options: Any) -> None:
        raise error

    monkeypatch.setattr(Signature, "apply_async", apply_async)

    dispatch.drive(RUN)

    assert caplog.messages == ["not sent, the sweep will: executions.drive: away"]


class TestRealBroker:
    """The same messages on the Redis that we run on."""

    def test_messages_wait_in_the_lanes_they_were_sent_to(self, redis_client: redis.Redis) -> None:
        dispatch.drive(RUN)
        dispatch.run_nodes(RUN, ready(2) + ready(1, Lane.CPU))

        assert {lane: queues.depth(lane) for lane in Lane} == {Lane.DRIVE: 1, Lane.IO: 2, Lane.CPU: 1}

    def test_chord_sends_its_headers_and_keeps_its_body(self, redis_client: redis.Redis) -> None:
        dispatch.run_nodes(RUN, ready(25, cheap=True, folds_early=False), wave=True)

        assert {lane: queues.depth(lane) for lane in Lane} == {Lane.DRIVE: 0, Lane.IO: 3, Lane.CPU: 0}
