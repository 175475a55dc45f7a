"""Nodes that reach out, in runs of the real engine: what comes in, what goes on, and what nobody sees."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from executions.models import Execution, NodeRun
from tests.executions.runs import begin, outputs, row, statuses
from tests.executions.secrets import leaks, stored
from tests.factories import CredentialFactory, VariableFactory, WorkspaceFactory
from tests.fakes import Messages
from tests.handlers.databases.sites import postgres_site
from tests.handlers.mail.servers import MailBox, mail_server
from tests.handlers.policies import allowing
from tests.handlers.servers import Reply, http_server
from workflows.files.services import read_file

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "s3cret-of-the-shop"
PDF = Reply(headers={"Content-Type": "application/pdf"}, body=b"%PDF-1.7 \0")


def run(drawing: str, messages: Messages, nodes: dict[str, Any], **more: Any) -> Execution:
    types = {name: config.pop("type") for name, config in nodes.items()}
    drawn = {name: {"config": config} for name, config in nodes.items()}
    execution = begin(drawing, types={"start": "trigger", **types}, nodes=drawn, **more)
    messages.deliver_all()
    return execution


def test_run_hides_the_key_of_a_credential_from_whoever_repeats_it(messages: Messages) -> None:
    """The service answers with what it was sent, and the next node reads that."""
    workspace = WorkspaceFactory()
    key = CredentialFactory(workspace=workspace, name="Shop", kind="basic", filled={"user": "u", "password": SECRET})
    echo = Reply(
        headers={"Content-Type": "text/plain"}, body=f"You said {SECRET} and dTpzM2NyZXQtb2YtdGhlLXNob3A=".encode()
    )
    with http_server(echo) as server:
        call = {"type": "http", "url": server.url, "connectionId": str(key.pk)}
        execution = run("start -> a", messages, {"a": call}, workspace=workspace)

    assert server.received[0].headers["authorization"] == "Basic dTpzM2NyZXQtb2YtdGhlLXNob3A="
    assert outputs(execution)["a"]["data"] == "You said ••• and •••"
    assert leaks(stored(execution), SECRET) == []


def test_run_stores_a_file_that_the_next_node_sends_on(messages: Messages) -> None:
    """From the web into the workspace, and from there by mail."""
    workspace, box = WorkspaceFactory(), MailBox(password=SECRET)
    with http_server(PDF) as server, mail_server(box):
        told = {"host": "127.0.0.1", "port": box.port, "security": "none", "user": "me@example.com", "password": SECRET}
        CredentialFactory(workspace=workspace, name="Post", kind="smtp", filled=told)
        nodes = {
            "get": {"type": "fileDownload", "url": f"{server.url}/report.pdf"},
            "send": {
                "type": "email",
                "connectionId": "Post",
                "to": "ada@example.com",
                "subject": "{{get.name}}",
                "text": "Here it is.",
                "attachments": "{{get}}",
            },
        }
        execution = run("start -> get -> send", messages, nodes, workspace=workspace)

    got = outputs(execution)["get"]
    (message,) = box.messages
    (attached,) = message.iter_attachments()
    assert (message["Subject"], attached.get_filename(), attached.get_content()) == (
        "report.pdf",
        "report.pdf",
        PDF.body,
    )
    assert got["path"] == f"runs/{execution.pk}/get/report.pdf"
    assert read_file(workspace.pk, got["path"], max_bytes=100) == PDF.body
    assert leaks(stored(execution), SECRET) == []


def test_run_that_may_not_connect_fails_at_once_and_says_what_would_let_it(messages: Messages) -> None:
    """Another attempt would be refused as well; the error edge leads on."""
    with allowing():
        nodes = {"a": {"type": "http", "url": "http://169.254.169.254/latest/meta-data"}, "b": {"type": "noop"}}
        execution = run("start -> a, a:error -> b", messages, nodes)

    a = row(execution, "a")
    assert (statuses(execution)["a"], statuses(execution)["b"], a.attempt) == ("failed", "completed", 1)
    assert a.error["code"] == "egress_refused"
    assert "FLOWMAESTRO_EGRESS_ALLOW=169.254.169.254:80" in a.error["message"]


def test_run_asks_a_database_whose_address_is_a_secret(messages: Messages) -> None:
    """The value of a node goes to the statement as a value; the password goes nowhere else."""
    workspace = WorkspaceFactory()
    with postgres_site(settings.DATABASE_URL) as site:
        parts = urlsplit(site.url)
        user = parts.username or ""
        url = site.url.replace(f"{parts.netloc.rpartition('@')[0]}@", f"{user}:{parts.password or SECRET}@")
        VariableFactory(workspace=workspace, name="DB", value=url, secret=True)
        nodes = {
            "a": {
                "type": "database",
                "connectionUrl": "{{env.DB}}",
                "query": "SELECT $1::text AS who",
                "parameters": ["{{start.who}}"],
            }
        }
        execution = run("start -> a", messages, nodes, workspace=workspace, inputs={"who": "x'; DROP TABLE t; --"})

    assert outputs(execution)["a"]["data"] == [{"who": "x'; DROP TABLE t; --"}]
    shown = NodeRun.objects.filter(execution=execution).values_list("input", "output", "logs")
    assert SECRET not in repr(list(shown))
