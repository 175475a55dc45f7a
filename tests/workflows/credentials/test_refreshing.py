from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from handlers import Cancelled, ConfigError, ProviderError, RateLimited, Unreachable
from handlers.errors import EgressRefused
from tests.handlers.fakes import RecordingLent
from tests.handlers.policies import allowing
from tests.workflows.credentials.providers import CLIENT, Provider, connected, token_provider
from workflows.credentials import services, values
from workflows.credentials.lending import lend
from workflows.models import Credential


@pytest.fixture
def provider() -> Any:
    with token_provider() as provider:
        yield provider


def lent_token(credential: Credential, borrower: RecordingLent | None = None) -> str:
    return lend(credential.workspace_id, credential.name, borrower or RecordingLent()).values["access_token"]


def stored(credential: Credential) -> dict[str, Any]:
    return values.read(Credential.objects.get(pk=credential.pk)).filled()


@pytest.mark.django_db
class TestOne:
    @pytest.mark.parametrize("lasts", [None, timedelta(minutes=2)])
    def test_token_that_lasts_is_lent_as_it_is(self, provider: Provider, lasts: timedelta | None) -> None:
        """One of which nobody said how long it lasts, too."""
        credential = connected(provider, lasts=lasts)

        assert lent_token(credential) == "access-0"
        assert provider.asked == []

    @pytest.mark.parametrize("lasts", [timedelta(hours=-1), timedelta(seconds=30)])
    def test_token_that_has_nearly_run_out_is_renewed_and_kept(self, provider: Provider, lasts: timedelta) -> None:
        """With the refresh token that came along, for the one before is of no use any more."""
        credential = connected(provider, lasts=lasts, filled={"scopes": "read write"})

        tokens = [lent_token(credential), lent_token(credential)]

        assert tokens == ["access-1", "access-1"]
        assert provider.asked == [{"grant_type": "refresh_token", "refresh_token": "refresh-0", "scope": "read write"}]
        assert stored(credential)["refresh_token"] == "refresh-1"
        credential.refresh_from_db()
        assert timedelta(minutes=59) < credential.expires_at - timezone.now() < timedelta(minutes=61)
        assert "access-1" not in credential.secrets

    def test_replaced_refresh_token_is_used_the_next_time(self, provider: Provider) -> None:
        credential = connected(provider)
        lent_token(credential)
        Credential.objects.update(expires_at=timezone.now())

        assert lent_token(credential) == "access-2"
        assert [form["refresh_token"] for form in provider.asked] == ["refresh-0", "refresh-1"]

    def test_refresh_token_stays_when_none_comes(self, provider: Provider) -> None:
        provider.answers = [(200, {"access_token": "access-new", "expires_in": "600"})]
        credential = connected(provider)

        assert lent_token(credential) == "access-new"
        assert stored(credential)["refresh_token"] == "refresh-0"

    def test_token_is_got_by_the_client_itself(self, provider: Provider) -> None:
        filled = {"grant": "client_credentials", "refresh_token": None, "access_token": None}
        credential = connected(provider, lasts=None, filled=filled)

        assert lent_token(credential) == "access-1"
        assert provider.asked == [{"grant_type": "client_credentials"}]

    @pytest.mark.parametrize(
        ("style", "secret", "header", "form"),
        [
            # Each part is encoded as in a form first.
            ("header", CLIENT["client_secret"], "Basic c2hvcDpjbGllbnQlMkZzZWNyZXQlMkIx", {}),
            ("body", CLIENT["client_secret"], None, {"client_id": "shop", "client_secret": "client/secret+1"}),
            ("header", None, None, {"client_id": "shop"}),  # a public client has no secret
        ],
    )
    def test_client_says_who_it_is_in_its_style(
        self, provider: Provider, style: str, secret: str | None, header: str | None, form: dict[str, str]
    ) -> None:
        """Source: RFC 6749, 2.3.1."""
        credential = connected(provider, filled={"auth_style": style, "client_secret": secret})

        lent_token(credential)

        assert provider.headers[0].get("authorization") == header
        assert {name: value for name, value in provider.asked[0].items() if name.startswith("client")} == form

    def test_all_that_is_secret_of_it_is_hidden(self, provider: Provider) -> None:
        """The old tokens and the new, and the client's secret in the header."""
        borrower = RecordingLent()

        credential = lend((found := connected(provider)).workspace_id, str(found.pk), borrower)

        assert borrower.hidden == {
            *("client/secret+1", "c2hvcDpjbGllbnQlMkZzZWNyZXQlMkIx"),
            *("access-0", "refresh-0", "access-1", "refresh-1"),
        }
        assert not {"client_secret", "refresh_token"} & credential.values.keys()  # the node has no use for them


@pytest.mark.django_db
class TestFailing:
    def test_grant_that_is_refused_wants_the_credential_connected_again(self, provider: Provider) -> None:
        """It is not asked about a second time, until somebody has put in new values."""
        credential = connected(provider, name="Shop", filled={"refresh_token": "refresh-lost"})

        for _ in range(2):
            with pytest.raises(ConfigError, match="'Shop' has to be connected again") as raised:
                lent_token(credential)
            assert (raised.value.code, raised.value.retryable) == ("credential_expired", False)

        assert len(provider.asked) == 1
        credential.refresh_from_db()
        assert credential.refused_at is not None

    def test_token_that_cannot_be_renewed_wants_the_credential_connected_again(self, provider: Provider) -> None:
        credential = connected(provider, filled={"refresh_token": None})

        with pytest.raises(ConfigError, match="no refresh token") as raised:
            lent_token(credential)

        assert raised.value.code == "credential_expired"
        assert provider.asked == []

    @pytest.mark.parametrize(
        ("status", "answer", "kind", "code", "retryable"),
        [
            (503, {}, ProviderError, "provider_error", True),
            (429, {}, RateLimited, "rate_limited", True),
            (401, {"error": "invalid_client"}, ProviderError, "credential_refused", False),
            (200, {"error": "bad_verification_code"}, ProviderError, "credential_refused", False),
            (200, {"token": "access-1"}, ProviderError, "invalid_response", False),
            (200, ["access-1"], ProviderError, "invalid_response", False),
            (200, {"access_token": "a\nb-c-d"}, ProviderError, "invalid_response", False),
            (200, {"access_token": "a"}, ProviderError, "invalid_response", False),
            (302, {}, ProviderError, "credential_refused", False),
        ],
    )
    def test_provider_that_fails_fails_the_attempt_and_changes_nothing(
        self, provider: Provider, status: int, answer: Any, kind: type[ProviderError], code: str, retryable: bool
    ) -> None:
        credential, borrower = connected(provider), RecordingLent()
        provider.answers = [(status, answer)]

        with pytest.raises(kind) as raised:
            lent_token(credential, borrower)

        assert "a" not in borrower.hidden  # it would be found in every second word
        assert (raised.value.code, raised.value.retryable) == (code, retryable)
        assert stored(credential)["refresh_token"] == "refresh-0"
        assert Credential.objects.get().refused_at is None

    def test_provider_that_is_away_is_worth_another_attempt(self, provider: Provider) -> None:
        credential = connected(provider, filled={"token_url": "http://127.0.0.1:1/token"})

        with pytest.raises(Unreachable):
            lent_token(credential)

    def test_provider_inside_the_network_is_not_asked(self, provider: Provider) -> None:
        """Whoever fills in a credential chooses the address; the site's operator chooses which can be reached."""
        credential = connected(provider)

        with allowing(), pytest.raises(EgressRefused):
            lent_token(credential)

        assert provider.asked == []

    def test_what_the_provider_says_is_told_in_part(self, provider: Provider) -> None:
        credential = connected(provider)
        provider.answers = [(400, {"error": "invalid_scope", "error_description": "No such scope." + "x" * 5_000})]

        with pytest.raises(
            ProviderError, match=r"answered 400 Bad Request \(invalid_scope: No such scope\.x"
        ) as raised:
            lent_token(credential)

        assert len(str(raised.value)) < 500


@pytest.mark.django_db
class TestTried:
    def test_credential_tried_out_is_renewed_though_its_token_lasts(self, provider: Provider) -> None:
        """Otherwise nobody would know whether it can be."""
        credential = connected(provider, lasts=timedelta(hours=1))

        tried = services.test_credential(credential.pk)

        assert (tried.test_succeeded, tried.test_message) == (True, "The provider has given out a new access token.")
        assert stored(credential)["access_token"] == "access-1"

    def test_credential_that_is_refused_says_so_and_is_asked_about_each_time(self, provider: Provider) -> None:
        """A provider may have been told to trust it again; what it repeats of the secrets is hidden."""
        credential = connected(provider, name="Shop", filled={"refresh_token": "refresh-lost"})

        refused = services.test_credential(credential.pk)
        provider.answers = [(200, {"access_token": "access-new"})]
        mended = services.test_credential(credential.pk)

        assert refused.test_succeeded is False
        assert "'Shop' has to be connected again" in refused.test_message
        assert "Unknown •••" in refused.test_message
        assert (mended.test_succeeded, mended.refused_at) == (True, None)

    def test_test_of_values_that_were_changed_meanwhile_is_not_kept(
        self, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it said is of the values before."""
        credential = connected(provider)

        def change(*args: Any) -> str:
            services.update_credential(credential.pk, changes={"values": {"client_id": "another"}})
            return "Good."

        monkeypatch.setattr(services, "_try_out", change)

        assert services.test_credential(credential.pk).tested_at is None


@pytest.mark.django_db(transaction=True)
class TestSeveral:
    def test_eight_that_need_it_at_once_ask_once(self, provider: Provider) -> None:
        """Each is lent what that one was given, though the provider takes its time."""
        provider.before = lambda: sleep(0.3)
        credential, together = connected(provider), Barrier(8)

        def ask(_: int) -> str:
            try:
                together.wait(timeout=10)
                return lent_token(credential)
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            tokens = list(pool.map(ask, range(8)))

        assert tokens == ["access-1"] * 8
        assert len(provider.asked) == 1

    def test_eight_that_are_refused_ask_once(self, provider: Provider) -> None:
        credential, together = connected(provider, filled={"refresh_token": "refresh-lost"}), Barrier(8)

        def ask(_: int) -> str:
            try:
                together.wait(timeout=10)
                lent_token(credential)
            except ConfigError as error:
                return error.code
            finally:
                connection.close()
            return "lent"

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, range(8))) == ["credential_expired"] * 8
        assert len(provider.asked) == 1

    def test_wait_for_somebody_elses_refresh_ends_when_the_run_does(self, provider: Provider) -> None:
        """It is over within a second, whatever the provider does."""
        credential, borrower = connected(provider), RecordingLent()
        waits, ended = Event(), []

        def ask() -> None:
            try:
                lent_token(credential, borrower)
            except Cancelled:
                ended.append(monotonic())
            finally:
                connection.close()

        waiting = Thread(target=ask)
        with transaction.atomic():
            Credential.objects.select_for_update().get()
            waiting.start()
            waits.wait(0.3)
            borrower.cancel()
            called_off = monotonic()
            waiting.join(timeout=5)

        assert ended
        assert ended[0] - called_off < 1
        assert provider.asked == []

    def test_use_is_noted_without_waiting_for_a_refresh(self, provider: Provider) -> None:
        """The row is held for as long as the provider thinks."""
        credential = connected(provider, lasts=None)

        def ask() -> str:
            try:
                return lent_token(credential)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            Credential.objects.select_for_update().get()
            assert pool.submit(ask).result(timeout=5) == "access-0"
