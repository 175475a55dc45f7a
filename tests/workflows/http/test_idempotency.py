from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from tests.doors import Api, data, error
from tests.factories import StoredAnswerFactory, WorkspaceFactory, definition
from workflows import services
from workflows.http import idempotency
from workflows.http.errors import IdempotencyInProgress
from workflows.models import StoredAnswer, Workflow

GREETING = {"name": "Greeting", "definition": definition()}


def create(api: Api, body: Any = None, key: str = "once") -> Any:
    return api.post("/workflows", body or GREETING, Idempotency_Key=key)


def test_request_sent_again_gets_the_same_answer_and_has_no_second_effect(api: Api) -> None:
    """A client that lost the answer may ask again without fear."""
    first = create(api)
    second = create(api)

    assert data(first, 201) == data(second, 201)
    assert Workflow.objects.count() == 1


def test_request_sent_again_spelt_differently_is_the_same_request(api: Api) -> None:
    """The body is compared as JSON: blanks and the order of keys mean nothing."""
    first = create(api, b'{"name": "x", "definition": {"nodes": {}, "edges": []}}')
    second = create(api, b'{"definition":{"edges":[],"nodes":{}},"name":"x"}')

    assert data(first, 201) == data(second, 201)


def test_request_sent_again_under_a_new_secret_key_is_the_same_request(api: Api, settings: Settings) -> None:
    """Keys are changed while clients repeat themselves."""
    settings.SECRET_KEY = "old"
    first = create(api)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    second = create(api)

    assert data(first, 201) == data(second, 201)


def test_request_is_not_to_be_guessed_from_what_is_kept_of_it(api: Api, settings: Settings) -> None:
    """A body may hold a secret: without the site's key, nobody can try which."""
    kept = []
    for site_key in ("one", "another"):
        settings.SECRET_KEY = site_key
        create(api, key=site_key)
        kept.append(StoredAnswer.objects.get(key=site_key).fingerprint)

    assert kept[0] != kept[1]


def test_key_used_for_another_body_is_a_conflict(api: Api) -> None:
    """The caller believes to repeat something it does not repeat."""
    create(api)

    response = create(api, {**GREETING, "name": "Other"})

    assert error(response, 409, "idempotency_conflict")["code"] == "idempotency_conflict"
    assert Workflow.objects.count() == 1


def test_key_used_at_another_address_is_a_conflict(api: Api) -> None:
    """The same body elsewhere is another request."""
    workflow = data(create(api), 201)
    other = data(create(api, key="other"), 201)
    api.post(f"/workflows/{workflow['id']}/publish", {}, Idempotency_Key="publish")

    response = api.post(f"/workflows/{other['id']}/publish", {}, Idempotency_Key="publish")

    assert error(response, 409, "idempotency_conflict")["code"] == "idempotency_conflict"


def test_key_of_another_workspace_is_another_key(api: Api, stranger: Api) -> None:
    """Nobody's key can collide with, or read, somebody else's answer."""
    mine = create(api)
    yours = create(stranger)

    assert data(mine, 201)["id"] != data(yours, 201)["id"]


def test_request_that_failed_leaves_its_key_unused(api: Api) -> None:
    """What had no effect can be put right and sent again under the same key."""
    refused = create(api, {"name": "x"})

    response = create(api)

    assert error(refused, 400, "validation_error")["code"] == "validation_error"
    assert data(response, 201)["name"] == "Greeting"


def test_effect_whose_answer_could_not_be_kept_did_not_happen(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Effect and answer are one transaction: otherwise the repeat would do it again."""

    def broken(_: Any) -> Any:
        raise RuntimeError("the answer cannot be written")

    monkeypatch.setattr(idempotency, "_plain", broken)
    api.client.raise_request_exception = False

    response = create(api)

    assert error(response, 500, "internal_error")["code"] == "internal_error"
    assert (Workflow.objects.count(), StoredAnswer.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("age", "kept"),
    [(timedelta(hours=23, minutes=59), True), (timedelta(hours=24, minutes=1), False)],
)
def test_answer_is_kept_for_a_day(api: Api, age: timedelta, kept: bool) -> None:
    """After that the key is free again, and the same request is a new one."""
    first = data(create(api), 201)
    StoredAnswer.objects.update(created_at=timezone.now() - age)

    second = data(create(api), 201)

    assert (first["id"] == second["id"]) is kept


def test_answers_that_are_old_go_when_new_ones_come(api: Api) -> None:
    """The table holds a day of answers, whoever forgets to clean it."""
    long_ago = timezone.now() - timedelta(days=2)
    StoredAnswerFactory.create_batch(3, workspace=api.workspace, created_at=long_ago)
    fresh = StoredAnswerFactory(workspace=api.workspace)
    elsewhere = StoredAnswerFactory(created_at=long_ago)

    create(api)

    assert set(StoredAnswer.objects.values_list("key", flat=True)) == {fresh.key, elsewhere.key, "once"}


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_key_that_is_none_is_refused(api: Api, key: str) -> None:
    """A key that cannot be kept must not be taken for no key."""
    response = create(api, key=key)

    assert error(response, 400, "validation_error")["details"]["fields"][0]["field"] == "Idempotency-Key"
    assert not Workflow.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_request_while_the_first_is_at_work_is_told_so() -> None:
    """Two at once: one has its effect, the other hears that it is under way, and nobody waits for anybody."""
    api = Api(WorkspaceFactory())
    begun, go_on = threading.Event(), threading.Event()
    answers: dict[str, Any] = {}

    def slow(*args: Any, **options: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return original(*args, **options)

    original: Callable[..., Any] = services.create_workflow
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workflows.views.services.create_workflow", slow)
        first = threading.Thread(target=_in_thread(lambda: answers.update(first=create(api))))
        first.start()
        assert begun.wait(10)
        answers["second"] = create(api)
        go_on.set()
        first.join(10)
    answers["third"] = create(api)

    assert error(answers["second"], 409, "idempotency_in_progress")["code"] == "idempotency_in_progress"
    assert data(answers["first"], 201) == data(answers["third"], 201)
    assert Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_key_of_a_request_that_died_is_free_at_once() -> None:
    """Its transaction is gone, and with it what held the key: nothing stays "in progress"."""
    workspace = WorkspaceFactory()
    held: list[bool] = []

    def die() -> None:
        with suppress(ZeroDivisionError), transaction.atomic():
            idempotency._hold(workspace.pk, "once")
            held.append(True)
            raise ZeroDivisionError

    other = threading.Thread(target=_in_thread(die))
    other.start()
    other.join(10)

    with transaction.atomic():
        idempotency._hold(workspace.pk, "once")

    assert held == [True]


@pytest.mark.django_db(transaction=True)
def test_key_held_by_another_connection_is_refused_here() -> None:
    """The lock is between connections; within one it may be taken again."""
    workspace = WorkspaceFactory()
    begun, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            idempotency._hold(workspace.pk, "once")
            begun.set()
            assert go_on.wait(10)

    other = threading.Thread(target=_in_thread(hold))
    other.start()
    assert begun.wait(10)

    with pytest.raises(IdempotencyInProgress), transaction.atomic():
        idempotency._hold(workspace.pk, "once")
    go_on.set()
    other.join(10)

    assert not other.is_alive()


def _in_thread(act: Callable[[], Any]) -> Callable[[], None]:
    """*act*, with the thread's own database connection closed behind it."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    return run
