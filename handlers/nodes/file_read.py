"""A file of the workspace, as text or base64."""

from __future__ import annotations

import base64
from typing import Literal

from pydantic import Field

from handlers.base import Effect, JSONObject, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.errors import InputError
from handlers.given_files import workspace_path
from handlers.made_files import FileData
from handlers.ports import Lent, StoredFile
from handlers.registry import node_type


class FileReadConfig(NodeConfig):
    path: str = Field(min_length=1, description="Of a file of the workspace.")
    encoding: Literal["utf-8", "base64", "binary"] = Field("utf-8", description="binary is base64 as well.")
    max_size: int = Field(1_000_000, gt=0, le=10_000_000, description="Bytes.")


class FileReadData(FileData):
    content: str
    encoding: Literal["utf-8", "base64"]


@node_type("fileRead", category="inputs", title="Read a file", effect=Effect.EFFECT, lane=Lane.IO)
class FileRead(NodeHandler[FileReadConfig]):
    """Read a file of the workspace.

    Output: `{"content", "encoding", "path", "name", "size", "contentType"}`. The content is text, or base64 when
    `encoding` says so, since JSON has no bytes. A file that is missing (`file_missing`), larger than `maxSize`
    (`file_too_large`) or no UTF-8 (`not_text`) fails the node. A `/` before the path is left out: the workspace is the
    root of all, and no path leads out of it (`invalid_path`).
    """

    Config = FileReadConfig
    Output = FileReadData

    def run(self, node: NodeInput[FileReadConfig], lent: Lent) -> NodeOutput:
        config = node.config
        path = workspace_path(config.path)
        content = lent.files.read(path, max_bytes=config.max_size)
        file = lent.files.stat(path) or StoredFile(path=path, size=len(content), content_type="")
        told: JSONObject = {**file.to_json(), "size": len(content)}
        if config.encoding == "utf-8":
            try:
                text = content.decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path!r} is no UTF-8 text: byte {error.start:,} is none of it. Read it as base64.",
                    code="not_text",
                ) from error
            return NodeOutput(data={"content": text, "encoding": "utf-8", **told})
        return NodeOutput(data={"content": base64.b64encode(content).decode(), "encoding": "base64", **told})
