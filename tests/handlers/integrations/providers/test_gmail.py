from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from handlers import ConfigError, InputError, ProviderError, RateLimited
from handlers.integrations.providers.gmail import MAX_MESSAGE_BYTES
from tests.handlers.fakes import RecordingLent
from tests.handlers.integrations.played import TOKEN, ask, asked, reply

SENT = {"id": "m1", "threadId": "t1", "labelIds": ["SENT"]}


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def mail_of(raw: str) -> Any:
    return message_from_bytes(urlsafe_b64decode(raw), policy=default)


def test_gmail_sends_a_mail() -> None:
    """As RFC 5322 has it, in base64 for addresses."""
    parameters = {
        "to": "ada@example.com, Bob <bob@example.com>",
        "cc": ["c@example.com"],
        "from": "me@example.com",
        "subject": "Grüße",
        "body": "Hällo\n",
        "html": "<p>Hällo</p>",
        "threadId": "t1",
        "inReplyTo": "<1@example.com>",
    }

    data, (request,) = ask("gmail", "sendMessage", parameters, reply(SENT))

    route, query, body = asked(request)
    mail = mail_of(body["raw"])
    assert (route, query, body.keys()) == ("POST /users/me/messages/send", {}, {"raw", "threadId"})
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert {name: mail[name] for name in ("To", "Cc", "From", "Subject", "In-Reply-To", "References", "Bcc")} == {
        "To": "ada@example.com, Bob <bob@example.com>",
        "Cc": "c@example.com",
        "From": "me@example.com",
        "Subject": "Grüße",
        "In-Reply-To": "<1@example.com>",
        "References": "<1@example.com>",
        "Bcc": None,
    }
    assert mail.get_body(("plain",)).get_content().strip() == "Hällo"
    assert mail.get_body(("html",)).get_content().strip() == "<p>Hällo</p>"
    assert data == SENT


def test_gmail_attaches_files_of_the_workspace() -> None:
    """Named by their paths, or as the nodes that made them tell them."""
    lent = RecordingLent()
    lent.files.write("out/report.pdf", b"%PDF-1")
    stored = lent.files.write("data.csv", b"a,b\n").to_json()

    _, (request,) = ask(
        "gmail", "sendEmail", {"to": "a@example.com", "attachments": ["out/report.pdf", stored]}, reply(SENT), lent=lent
    )

    files = list(mail_of(asked(request)[2]["raw"]).iter_attachments())
    assert [(each.get_filename(), each.get_content_type()) for each in files] == [
        ("report.pdf", "application/pdf"),
        ("data.csv", "text/csv"),
    ]
    assert files[0].get_content() == b"%PDF-1"


@pytest.mark.parametrize("field", ["subject", "from", "inReplyTo"])
def test_gmail_mail_whose_header_has_a_line_break_is_not_sent(field: str) -> None:
    """It would be another header: a Bcc, say."""
    with pytest.raises(InputError, match="header"):
        ask("gmail", "sendEmail", {"to": "a@example.com", field: "x\r\nBcc: spy@example.com"}, reply(SENT))


def test_gmail_mail_that_is_too_large_is_not_sent() -> None:
    lent = RecordingLent()
    lent.files.write("big.bin", bytes(MAX_MESSAGE_BYTES))

    with pytest.raises(InputError, match="Gmail takes 25"):
        ask("gmail", "sendEmail", {"to": "a@example.com", "attachments": ["big.bin"]}, reply(SENT), lent=lent)


def test_gmail_draft_has_the_mail_in_it() -> None:
    _, (request,) = ask("gmail", "createDraft", {"to": "a@example.com", "subject": "Later"}, reply({"id": "d1"}))

    route, _, body = asked(request)
    assert route == "POST /users/me/drafts"
    assert mail_of(body["message"]["raw"])["Subject"] == "Later"


def test_gmail_messages_are_listed_page_by_page() -> None:
    first = {"messages": [{"id": "m1", "threadId": "t1"}], "nextPageToken": "n2", "resultSizeEstimate": 2}
    second = {"messages": [{"id": "m2", "threadId": "t1"}], "resultSizeEstimate": 2}

    data, requests = ask(
        "gmail", "searchEmails", {"query": "from:ada", "labelIds": "INBOX", "limit": 10}, reply(first), reply(second)
    )

    assert [asked(request)[:2] for request in requests] == [
        ("GET /users/me/messages", {"q": "from:ada", "labelIds": "INBOX", "maxResults": "10"}),
        ("GET /users/me/messages", {"q": "from:ada", "labelIds": "INBOX", "maxResults": "9", "pageToken": "n2"}),
    ]
    assert [item["id"] for item in data["items"]] == ["m1", "m2"]


def test_gmail_search_that_finds_nothing_is_an_empty_list() -> None:
    """Gmail leaves the list out."""
    data, _ = ask("gmail", "listMessages", {"q": "x"}, reply({"resultSizeEstimate": 0}))

    assert data["items"] == []


def test_gmail_message_is_told_with_its_text() -> None:
    """However deep in its parts that is."""
    inner = {
        "mimeType": "multipart/alternative",
        "parts": [
            {"mimeType": "text/plain", "body": {"size": 7, "data": encoded("Hällo".encode())}},
            {"mimeType": "text/html", "body": {"size": 1, "data": encoded(b"<p>")}},
        ],
    }
    message = {
        "id": "m1",
        "payload": {
            "mimeType": "multipart/mixed",
            "headers": [{"name": "Subject", "value": "Hi"}, {"name": "FROM", "value": "ada@example.com"}],
            "parts": [inner, {"mimeType": "application/pdf", "body": {"attachmentId": "a1", "size": 9}}],
        },
    }

    data, (request,) = ask("gmail", "getEmail", {"messageId": "m1"}, reply(message))

    assert asked(request)[:2] == ("GET /users/me/messages/m1", {"format": "full"})
    assert (data["text"], data["subject"], data["from"], "date" in data) == ("Hällo", "Hi", "ada@example.com", False)
    assert data["payload"] == message["payload"]


def test_gmail_attachment_becomes_a_file() -> None:
    lent = RecordingLent()
    answer = {"size": 3, "data": encoded(b"\xff\x00a")}

    data, (request,) = ask(
        "gmail",
        "getAttachment",
        {"messageId": "m1", "attachmentId": "a1", "saveAs": "in/a.pdf"},
        reply(answer),
        lent=lent,
    )

    assert request.path == "/users/me/messages/m1/attachments/a1"
    assert lent.files.stored["in/a.pdf"][0] == b"\xff\x00a"
    assert (data["path"], data["size"]) == ("in/a.pdf", 3)


@pytest.mark.parametrize(
    ("operation", "parameters", "route", "body", "output"),
    [
        (
            "modifyLabels",
            {"messageId": "m1", "removeLabels": "UNREAD"},
            "POST /users/me/messages/m1/modify",
            {"removeLabelIds": ["UNREAD"]},
            {"labels": [{"id": "L1"}]},
        ),
        ("trashMessage", {"id": "m1"}, "POST /users/me/messages/m1/trash", None, {"labels": [{"id": "L1"}]}),
        ("listLabels", {}, "GET /users/me/labels", None, [{"id": "L1"}]),
    ],
)
def test_gmail_labels(operation: str, parameters: dict[str, Any], route: str, body: Any, output: Any) -> None:
    data, (request,) = ask("gmail", operation, parameters, reply({"labels": [{"id": "L1"}]}))

    assert asked(request) == (route, {}, body)
    assert data == output


def google_error(status: int, message: str, reason: str) -> Any:
    inner = {"code": status, "message": message, "errors": [{"message": message, "reason": reason}], "status": "X"}
    return reply({"error": inner}, status=status)


@pytest.mark.parametrize(
    ("status", "reason", "kind", "code"),
    [
        (403, "userRateLimitExceeded", RateLimited, "rate_limited"),
        (429, "rateLimitExceeded", RateLimited, "rate_limited"),
        (403, "insufficientPermissions", ProviderError, "forbidden"),
        (401, "authError", ConfigError, "credential_refused"),
        (404, "notFound", ProviderError, "not_found"),
        (400, "invalidArgument", ProviderError, "rejected"),
    ],
)
def test_gmail_error_is_told_in_its_words(status: int, reason: str, kind: type, code: str) -> None:
    """A 403 of Google's is a rate limit or a missing permission: its reason tells."""
    with pytest.raises(kind, match=f"answered {status}: No more") as failure:
        ask("gmail", "listLabels", {}, google_error(status, "No more", reason))

    assert (failure.value.code, failure.value.details["providerCode"]) == (code, reason)
    assert failure.value.retry_after == (5 if code == "rate_limited" else None)
