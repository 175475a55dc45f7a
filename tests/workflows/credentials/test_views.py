from __future__ import annotations

from typing import Any

import pytest

from tests.doors import Api, data, error
from tests.factories import CredentialFactory
from tests.handlers.servers import Reply, http_server
from workflows.credentials.values import read
from workflows.models import Credential
from workflows.workspaces.roles import ALL_SCOPES

SHOP = {"name": "Shop", "kind": "api_key", "values": {"api_key": "key-5f1c9e", "base_url": "https://shop.example"}}


class TestList:
    def test_credentials_listed_are_the_workspaces_by_name_without_secrets(self, api: Api, stranger: Api) -> None:
        CredentialFactory(workspace=api.workspace, name="Shop", filled={"token": "tok-5f1c9e"})
        CredentialFactory(workspace=api.workspace, name="Bank")
        CredentialFactory(workspace=stranger.workspace, name="Theirs")

        response = api.get("/credentials")

        assert [one["name"] for one in data(response)] == ["Bank", "Shop"]
        assert "5f1c9e" not in response.content.decode()
        assert not any(credential.secrets in response.content.decode() for credential in Credential.objects.all())

    @pytest.mark.parametrize("number", [1, 3])
    def test_credentials_listed_cost_the_same_however_many(
        self, api: Api, django_assert_num_queries: Any, number: int
    ) -> None:
        """The key, how many, and the page."""
        CredentialFactory.create_batch(number, workspace=api.workspace)
        api.get("/credentials")  # notes the use of the key, once a minute

        with django_assert_num_queries(3):
            assert len(data(api.get("/credentials"))) == number

    def test_kinds_listed_say_what_to_fill_in(self, api: Api) -> None:
        told = {kind["kind"]: kind for kind in data(api.get("/credentials/kinds"))}

        assert set(told) == {"api_key", "basic", "bearer", "database", "header", "oauth2", "smtp"}
        assert told["basic"]["secret_fields"] == ["password"]
        assert told["basic"]["schema"]["required"] == ["user", "password"]
        assert told["basic"]["schema"]["properties"]["password"]["writeOnly"] is True


class TestCreate:
    def test_credential_created_is_told_without_its_secrets(self, api: Api) -> None:
        """By no door: not in the answer, not when it is read, not when the request is repeated."""
        responses = [api.post("/credentials", SHOP, Idempotency_Key="once") for _ in range(2)]
        responses.append(api.get(f"/credentials/{data(responses[0], 201)['id']}"))

        assert data(responses[0], 201) == data(responses[1], 201) == data(responses[2])
        told = data(responses[2])
        assert (told["name"], told["kind"], told["status"], told["last_test"]) == ("Shop", "api_key", "ready", None)
        assert told["values"] == {"base_url": "https://shop.example", "header_name": "X-API-Key"}
        assert told["fields_set"] == ["api_key", "base_url", "header_name"]
        assert not any("5f1c9e" in response.content.decode() for response in responses)
        [credential] = Credential.objects.all()
        assert read(credential).texts()["api_key"] == "key-5f1c9e"
        assert "5f1c9e" not in credential.secrets

    @pytest.mark.parametrize(
        ("body", "field", "part"),
        [
            ({**SHOP, "name": ""}, "name", "blank"),
            ({**SHOP, "name": "x" * 129}, "name", "128 characters"),
            ({**SHOP, "kind": "cookie"}, "kind", "there are: api_key"),
            ({**SHOP, "values": {}}, "values.api_key", "Field required"),
            ({**SHOP, "values": {"api_key": "abc"}}, "values.api_key", "at least 4 characters"),
            ({**SHOP, "values": {"api_key": "key-1", "url": "x"}}, "values.url", "Unknown field"),
            ({**SHOP, "values": "key"}, "values", "Expected a JSON object"),
            ({**SHOP, "secret": "x"}, "secret", "Unknown field"),
            ({**SHOP, "expires_at": "2030-01-01T00:00:00Z"}, "expires_at", "Only an oauth2 credential"),
            ({"kind": "bearer", "values": {"token": "tok-1"}}, "name", "required"),
        ],
    )
    def test_credential_that_cannot_be_is_refused_by_its_field(
        self, api: Api, body: Any, field: str, part: str
    ) -> None:
        response = api.post("/credentials", body)

        [wrong] = error(response, 400, "validation_error")["details"]["fields"]
        assert wrong["field"] == field
        assert part in wrong["message"]
        assert not Credential.objects.exists()

    def test_all_that_is_wrong_is_told_at_once(self, api: Api) -> None:
        body = {"name": "Db", "kind": "database", "values": {"engine": "oracle", "port": 0, "password": "abc"}}

        fields = error(api.post("/credentials", body), 400, "validation_error")["details"]["fields"]

        assert {wrong["field"] for wrong in fields} == {
            f"values.{name}" for name in ("engine", "host", "port", "user", "password", "database")
        }

    def test_name_that_is_taken_is_a_409(self, api: Api) -> None:
        CredentialFactory(workspace=api.workspace, name="Shop")

        refused = error(api.post("/credentials", SHOP), 409, "name_taken")

        assert refused["details"]["fields"][0]["field"] == "name"
        assert Credential.objects.get().kind == "bearer"


class TestChange:
    def test_values_are_merged_field_by_field(self, api: Api) -> None:
        """What is not named stays, null empties one."""
        filled = {"user": "ada", "password": "pass-word", "base_url": "https://shop.example"}
        credential = CredentialFactory(workspace=api.workspace, kind="basic", filled=filled)

        changes = {"values": {"password": "new-word", "base_url": None}}
        told = data(api.patch(f"/credentials/{credential.pk}", changes))

        assert (told["values"], told["fields_set"]) == ({"user": "ada"}, ["password", "user"])
        credential.refresh_from_db()
        assert read(credential).texts() == {"user": "ada", "password": "new-word"}

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"values": {"token": None}}, "values.token"),
            ({"values": {"token": "abc"}}, "values.token"),
            ({"values": {"tokn": "tok-new"}}, "values.tokn"),
            ({"kind": "basic"}, "kind"),
            ({"name": ""}, "name"),
        ],
    )
    def test_change_refused_leaves_the_credential_as_it_was(self, api: Api, changes: Any, field: str) -> None:
        credential = CredentialFactory(workspace=api.workspace, name="Shop")

        response = api.patch(f"/credentials/{credential.pk}", changes)

        [wrong] = error(response, 400, "validation_error")["details"]["fields"]
        assert wrong["field"] == field
        assert Credential.objects.get().secrets == credential.secrets

    def test_name_of_another_is_a_409(self, api: Api) -> None:
        CredentialFactory(workspace=api.workspace, name="Bank")
        credential = CredentialFactory(workspace=api.workspace, name="Shop")

        error(api.patch(f"/credentials/{credential.pk}", {"name": "Bank"}), 409, "name_taken")

        assert Credential.objects.get(pk=credential.pk).name == "Shop"

    def test_new_values_are_untested_and_connect_it_again(self, api: Api) -> None:
        """A new token does not run out when the one before did."""
        filled = {"client_id": "shop", "token_url": "https://id.example", "access_token": "old-token"}
        credential = CredentialFactory(workspace=api.workspace, kind="oauth2", filled=filled)
        now = credential.created_at
        Credential.objects.update(refused_at=now, expires_at=now, tested_at=now, test_succeeded=False, test_message="x")
        path = f"/credentials/{credential.pk}"
        before = data(api.get(path))

        after = data(api.patch(path, {"values": {"access_token": "new-token"}}))
        named = data(api.patch(path, {"name": "Other", "expires_at": "2030-01-01T00:00:00Z"}))

        assert (before["status"], before["last_test"]["succeeded"]) == ("expired", False)
        assert (after["status"], after["last_test"], after["expires_at"]) == ("ready", None, None)
        assert (named["name"], named["expires_at"]) == ("Other", "2030-01-01T00:00:00Z")

    def test_secrets_of_a_lost_key_can_be_set_again(self, api: Api, settings: Any) -> None:
        credential = CredentialFactory(workspace=api.workspace, filled={"token": "tok-lost", "base_url": "https://a.b"})
        settings.SECRET_KEY = "another"
        path = f"/credentials/{credential.pk}"

        refused = error(api.patch(path, {"values": {"base_url": "https://c.d"}}), 400, "validation_error")
        data(api.patch(path, {"values": {"token": "tok-new"}}))

        assert refused["details"]["fields"][0]["field"] == "values.token"
        credential.refresh_from_db()
        assert read(credential).texts() == {"token": "tok-new", "base_url": "https://a.b"}


def test_credential_deleted_is_gone(api: Api) -> None:
    credential = CredentialFactory(workspace=api.workspace)

    assert data(api.delete(f"/credentials/{credential.pk}")) == {"id": str(credential.pk), "deleted": True}

    error(api.get(f"/credentials/{credential.pk}"), 404, "resource_not_found")


class TestTest:
    def test_key_that_is_accepted_is_told_and_kept(self, api: Api) -> None:
        with http_server(Reply(status=204)) as server:
            filled = {"api_key": "key-5f1c9e", "test_url": f"{server.url}/me?of=key-5f1c9e", "header_prefix": "Key"}
            credential = CredentialFactory(workspace=api.workspace, kind="api_key", filled=filled)
            told = data(api.post(f"/credentials/{credential.pk}/test"))

        assert told["last_test"]["succeeded"] is True
        assert told["last_test"]["message"] == f"GET {server.url}/me answered 204 No Content."
        assert told == data(api.get(f"/credentials/{credential.pk}"))
        assert server.received[0].headers["x-api-key"] == "Key key-5f1c9e"

    @pytest.mark.parametrize(
        ("kind", "filled", "header", "value"),
        [
            ("bearer", {"token": "tok-5f1c9e\n"}, "authorization", "Bearer tok-5f1c9e"),
            ("basic", {"user": "ada", "password": "pass-word"}, "authorization", "Basic YWRhOnBhc3Mtd29yZA=="),
            ("header", {"header_name": "X-Shop", "value": "tok-5f1c9e"}, "x-shop", "tok-5f1c9e"),
        ],
    )
    def test_key_that_is_refused_is_told_by_its_status(
        self, api: Api, kind: str, filled: dict[str, str], header: str, value: str
    ) -> None:
        """What the service writes in its answer is not: it may well repeat the key."""
        with http_server(Reply(status=401, body=b"bad key tok-5f1c9e")) as server:
            credential = CredentialFactory(
                workspace=api.workspace, kind=kind, filled={**filled, "base_url": f"{server.url}/"}
            )
            test = data(api.post(f"/credentials/{credential.pk}/test"))["last_test"]

        assert (test["succeeded"], test["message"]) == (False, f"GET {server.url}/ answered 401 Unauthorized.")
        assert server.received[0].headers[header] == value

    @pytest.mark.parametrize(("status", "part"), [(302, "answered 302"), (404, "answered 404"), (503, "answered 503")])
    def test_answer_that_says_nothing_good_is_no_success(self, api: Api, status: int, part: str) -> None:
        with http_server(Reply(status=status, headers={"Location": "/login"})) as server:
            filled = {"token": "tok-5f1c9e", "base_url": server.url}
            credential = CredentialFactory(workspace=api.workspace, filled=filled)
            test = data(api.post(f"/credentials/{credential.pk}/test"))["last_test"]

        assert test["succeeded"] is False
        assert part in test["message"]
        assert len(server.received) == 1

    def test_secret_in_what_is_told_is_hidden(self, api: Api) -> None:
        """Here the key is part of the address that does not answer."""
        filled = {"token": "tok-5f1c9e", "test_url": "http://127.0.0.1:1/tok-5f1c9e"}
        credential = CredentialFactory(workspace=api.workspace, filled=filled)

        test = data(api.post(f"/credentials/{credential.pk}/test"))["last_test"]

        assert test["succeeded"] is False
        assert "/•••" in test["message"]
        assert "5f1c9e" not in Credential.objects.get().test_message

    def test_key_with_nothing_to_try_it_out_on_is_a_409(self, api: Api) -> None:
        credential = CredentialFactory(workspace=api.workspace)

        refused = error(api.post(f"/credentials/{credential.pk}/test"), 409, "not_testable")

        assert "test_url" in refused["message"]
        assert Credential.objects.get().tested_at is None


@pytest.mark.parametrize("scopes", [["workflows:read"], sorted(ALL_SCOPES - {"credentials:write"})])
def test_writing_and_testing_want_their_scope(api: Api, scopes: list[str]) -> None:
    credential = CredentialFactory(workspace=api.workspace, name="Shop")
    limited = Api(api.workspace, scopes=scopes)

    answers = [
        limited.post("/credentials", SHOP),
        limited.patch(f"/credentials/{credential.pk}", {"name": "x"}),
        limited.post(f"/credentials/{credential.pk}/test"),
        limited.delete(f"/credentials/{credential.pk}"),
    ]

    for answer in answers:
        assert error(answer, 403, "insufficient_scope")["details"]["missing_scopes"] == ["credentials:write"]
    assert list(Credential.objects.values_list("name", flat=True)) == ["Shop"]
    assert data(limited.get("/credentials"))[0]["name"] == "Shop"
