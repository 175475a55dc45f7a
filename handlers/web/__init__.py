"""What is said over HTTP, by every node that says something: fields, bodies, credentials, answers.

`handlers.network` carries it; here is what it means.
"""

from handlers.web.answers import (
    Answer,
    ResponseType,
    failed,
    may_pass,
    read_as,
    refusal,
    store,
    subject_of,
    suggested_name,
)
from handlers.web.authorization import Authorization, AuthType, Place, lent_authorization, of_credential, written
from handlers.web.bodies import Body, BodyType, encode, encode_parts
from handlers.web.fetching import Fetched, fetch
from handlers.web.fields import HeaderName, Headers, Pairs, WebUrl, web_url

__all__ = [
    "Answer",
    "AuthType",
    "Authorization",
    "Body",
    "BodyType",
    "Fetched",
    "HeaderName",
    "Headers",
    "Pairs",
    "Place",
    "ResponseType",
    "WebUrl",
    "encode",
    "encode_parts",
    "failed",
    "fetch",
    "lent_authorization",
    "may_pass",
    "of_credential",
    "read_as",
    "refusal",
    "store",
    "subject_of",
    "suggested_name",
    "web_url",
    "written",
]
