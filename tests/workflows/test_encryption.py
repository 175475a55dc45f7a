from __future__ import annotations

import base64

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from workflows.encryption import Undecryptable, decrypted, encrypted, rotated


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_comes_back_and_is_not_there_meanwhile(text: str) -> None:
    token = encrypted(text)

    assert decrypted(token) == text
    assert token.isascii()
    assert text.encode() not in base64.urlsafe_b64decode(token) or len(text.encode()) < 8  # short ones occur by chance


def test_text_encrypted_twice_is_two_tokens() -> None:
    """Who compares rows learns nothing."""
    assert encrypted("hunter2") != encrypted("hunter2")


def test_key_is_not_the_secret_key_itself(settings: Settings) -> None:
    """What is signed with SECRET_KEY elsewhere must not open what is encrypted here."""
    settings.SECRET_KEY = "k" * 32

    with pytest.raises(Exception, match=r"^$"):  # Fernet's InvalidToken
        Fernet(base64.urlsafe_b64encode(b"k" * 32)).decrypt(encrypted("hunter2"))


def test_text_of_an_earlier_key_is_read_while_that_key_is_a_fallback(settings: Settings) -> None:
    settings.SECRET_KEY = "old"
    token = encrypted("hunter2")

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["older", "old"]

    assert decrypted(token) == "hunter2"


def test_text_rotated_needs_the_present_key_alone(settings: Settings) -> None:
    settings.SECRET_KEY = "old"
    token = encrypted("hunter2")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new", ["old"]

    again = rotated(token)
    settings.SECRET_KEY_FALLBACKS = []

    assert decrypted(again) == "hunter2"
    with pytest.raises(Undecryptable):
        decrypted(token)


def test_text_of_another_key_or_tampered_with_is_refused(settings: Settings) -> None:
    """Never taken for another text."""
    token = encrypted("hunter2")
    tampered = token[:-8] + ("A" if token[-8] != "A" else "B") + token[-7:]

    for unread in (tampered, "", "hunter2", token[:20]):
        with pytest.raises(Undecryptable):
            decrypted(unread)
        with pytest.raises(Undecryptable):
            rotated(unread)
    settings.SECRET_KEY = "another"
    with pytest.raises(Undecryptable):
        decrypted(token)
