"""An OAuth2 client with its tokens."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote_plus

from pydantic import Field, model_validator

from workflows.credentials.kind import HeaderSecret, Kind, Plain, Secret, Url, credential_kind


@credential_kind("oauth2", title="OAuth2")
class OAuth2(Kind):
    """Access to a service by OAuth2. Nodes get an access token, which is renewed before it runs out.

    `refresh_token`: by the refresh token that connecting has brought (`/credentials/{id}/authorize`), or that was put
    in, and that a provider may replace each time.
    `client_credentials`: by the client's own id and secret.
    """

    grant: Literal["refresh_token", "client_credentials"] = Field(
        "refresh_token", description="What a new access token is asked for with."
    )
    client_id: Plain = Field(description="The client's id.")
    client_secret: Secret | None = Field(None, description="The client's secret, if it has one.")
    token_url: Url = Field(description="The provider's token endpoint.")
    authorize_url: Url | None = Field(
        None, description="Where its owner is asked, with what else the provider wants to see in the query."
    )
    auth_style: Literal["header", "body"] = Field(
        "header", description="Where id and secret of the client are sent: in the Authorization header, or in the body."
    )
    scopes: Plain | None = Field(None, description="What is asked for, parted by blanks.")
    base_url: Url | None = Field(None, description="Where the service's API is.")
    access_token: HeaderSecret | None = Field(None, description="The present access token.")
    refresh_token: Secret | None = Field(None, description="The present refresh token.")

    @model_validator(mode="after")
    def _can_be_renewed(self) -> OAuth2:
        if self.grant == "client_credentials" and self.client_secret is None:
            raise ValueError("client_credentials needs a client_secret.")
        return self

    def lendable(self) -> dict[str, str]:
        """All but what only the token endpoint is told."""
        return {name: text for name, text in self.texts().items() if name not in {"client_secret", "refresh_token"}}

    def spelled(self) -> Iterable[str]:
        return () if self.client_secret is None else (self.client_in_header(),)

    def client_in_header(self) -> str:
        """Id and secret of the client as HTTP Basic has them. Source: RFC 6749, 2.3.1."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret or '')}"
        return b64encode(pair.encode()).decode()
