"""A file from the web."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx2
from pydantic import AliasChoices, Field, field_validator

from handlers import network, web
from handlers.base import Effect, Lane, NodeConfig, NodeData, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.made_files import put
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.retries import FOR_HTTP

MAX_BYTES: Final = 100_000_000


class FileDownloadConfig(NodeConfig):
    url: web.WebUrl = Field(min_length=1, description="With http:// or https://.")
    filename: str | None = Field(
        None, description="What to call it; with a / in it, its path in the workspace. Else what the server says."
    )
    connection_id: str | None = Field(None, description="Id of a credential to send.")
    max_size: int = Field(50 * 1024 * 1024, ge=1, le=MAX_BYTES, description="Bytes; a longer file fails the node.")
    allowed_content_types: tuple[str, ...] = Field(
        (),
        validation_alias=AliasChoices("allowedContentTypes", "allowedTypes"),
        description="Such as application/pdf or image/*; none: any.",
    )
    timeout: float = Field(60_000, ge=1_000, le=300_000, description="Milliseconds for the whole file.")
    follow_redirects: bool = True
    overwrite: bool = Field(True, description="Replace a file that is at that path already.")

    @field_validator("allowed_content_types", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """A list, or text parted by commas."""
        items = value.split(",") if isinstance(value, str) else [] if value is None else value
        if not isinstance(items, list | tuple):
            raise ValueError("Write a list of types, such as image/*.")  # noqa: TRY004 -- what pydantic takes for a fault
        return [str(item).strip().lower() for item in items if str(item).strip()]


class FileDownloadData(NodeData):
    path: str = Field(description="In the workspace.")
    name: str
    size: int = Field(description="Bytes.")
    content_type: str
    url: str = Field(description="Where redirects led.")


@node_type("fileDownload", category="inputs", title="File download", effect=Effect.EFFECT, lane=Lane.IO, retry=FOR_HTTP)
class FileDownload(NodeHandler[FileDownloadConfig]):
    """Store a file from the web in the workspace.

    Output: `{"path", "name", "size", "contentType", "url"}`, which other nodes take for a file; `url` is where
    redirects led. Without a `filename` it is called what the server says, made harmless, in the folder of the run;
    another attempt replaces it there.

    A file of more than `maxSize` bytes (50 MB, at most 100) fails the node with `response_too_large`, one that the
    server says is of another type than `allowedContentTypes` with `unsupported_type`, before it is read. A status that
    is no success fails it, after further attempts where it may pass. An address that is not on the public internet is
    refused (`egress_refused`).
    """

    Config = FileDownloadConfig
    Output = FileDownloadData

    def run(self, node: NodeInput[FileDownloadConfig], lent: Lent) -> NodeOutput:
        config = node.config
        headers = {"Accept": "*/*"}
        if config.connection_id:
            authorization = web.lent_authorization(lent, config.connection_id)
            headers[authorization.name] = authorization.value
        with network.call(lent, seconds=config.timeout / 1000):
            fetched = web.fetch(
                config.url,
                max_bytes=config.max_size,
                redirects=network.MAX_REDIRECTS if config.follow_redirects else 0,
                headers=headers,
                look=lambda response: _check_type(response, config.allowed_content_types),
            )
        name = config.filename
        if name and "/" in name:
            stored = put(
                node,
                lent,
                fetched.content,
                path=name,
                overwrite=config.overwrite,
                content_type=fetched.content_type or None,
            )
        else:
            stored = web.store(fetched.response, fetched.content, node=node, lent=lent, name=name)
        return NodeOutput(data={**stored.to_json(), "url": str(fetched.response.url)})


def _check_type(response: httpx2.Response, allowed: Sequence[str]) -> None:
    content_type = network.content_type(response)
    family = f"{content_type.partition('/')[0]}/*"
    if allowed and not {content_type, family, "*/*", "*"} & set(allowed):
        raise InputError(
            f"The file is {content_type or 'of no type that the server tells'}; allowed are {', '.join(allowed)}.",
            code="unsupported_type",
        )
