"""Texts that are stored so that only this site can read them.

Fernet: AES-128-CBC with HMAC-SHA256. Its key is made of SECRET_KEY by HKDF-SHA256 (32 bytes, no salt, the purpose below
as info), so nothing else that is signed with SECRET_KEY says anything about it. What was encrypted under an earlier key
is read as long as that key is in SECRET_KEY_FALLBACKS; `rotated` brings it under the present one.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"flowmaestro: stored secrets, 1"


class Undecryptable(ValueError):
    """The text was encrypted under a key that is neither SECRET_KEY nor one of SECRET_KEY_FALLBACKS."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class UnreadableSecrets(Exception):
    """Secrets were encrypted under another key than the site has now."""

    code = "unreadable_secret"

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(sorted(names))
        super().__init__(
            f"cannot be decrypted: {', '.join(self.names)}. SECRET_KEY has changed: put the earlier one into"
            " SECRET_KEY_FALLBACKS, or set these secrets again"
        )


def encrypted(text: str) -> str:
    """*text* under SECRET_KEY: ASCII, and another each time."""
    return _keys().encrypt(text.encode()).decode()


def decrypted(token: str) -> str:
    """Raises Undecryptable."""
    try:
        return _keys().decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable from None


def rotated(token: str) -> str:
    """The same text under the present SECRET_KEY. Raises Undecryptable."""
    try:
        return _keys().rotate(token.encode()).decode()
    except InvalidToken:
        raise Undecryptable from None


def _keys() -> MultiFernet:
    return _derived((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _derived(secrets: tuple[str, ...]) -> MultiFernet:
    """The first encrypts, all of them decrypt."""
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return urlsafe_b64encode(derived)
