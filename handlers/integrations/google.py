"""What the APIs of Google have in common."""

from __future__ import annotations

from pydantic.alias_generators import to_camel

from handlers.integrations.auth import Bearer
from handlers.integrations.provider import Provider
from handlers.integrations.refusals import Meaning


def google_provider(name: str, *, title: str, base_url: str, doc: str, aliases: tuple[str, ...] = ()) -> Provider:
    """A provider of Google's: an OAuth2 token, names in camel case, errors in Google's envelope.

    Source: Google APIs, "Resolve errors" of Gmail, Drive and Sheets.
    """
    return Provider(
        name,
        title=title,
        base_url=base_url,
        aliases=aliases,
        doc=doc,
        auth=Bearer(),
        spelling=to_camel,
        told_at=("error.message", "error_description", "error"),
        codes_at=("error.errors.0.reason", "error.status"),
        meanings={
            **dict.fromkeys(("rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED"), Meaning.RATE),
            **dict.fromkeys(("authError", "UNAUTHENTICATED"), Meaning.CREDENTIAL),
            **dict.fromkeys(("backendError", "internalError"), Meaning.LATER),
        },
        rate_pause=5.0,
    )
