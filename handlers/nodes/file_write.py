"""Text or bytes into a file of the workspace."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from handlers import made_files
from handlers.base import Effect, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.given_files import decode_base64
from handlers.made_files import FileData
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import encodable, text_of


class FileWriteConfig(NodeConfig):
    path: str = Field(min_length=1, description="In the workspace, with / between its parts.")
    content: Any = Field(description="Text; anything else is written as JSON.")
    encoding: Literal["utf-8", "base64"] = Field("utf-8", description="base64: the content is bytes written so.")
    create_directories: bool = Field(True, description="For existing workflows: folders need not be made.")
    overwrite: bool = Field(True, description="Whether a file that is there may be replaced.")


@node_type("fileWrite", category="outputs", title="Write a file", effect=Effect.EFFECT, lane=Lane.IO)
class FileWrite(NodeHandler[FileWriteConfig]):
    """Write a file of the workspace.

    Output: `{"path", "name", "size", "contentType"}`, which other nodes take for the file. What is there is replaced,
    all at once; without `overwrite` it fails the node (`file_exists`), of two runs that write a path at once all but
    one. A second attempt that finds the very content there takes it for its own. A `/` before the path is left out: the
    workspace is the root of all, and no path leads out of it (`invalid_path`). The site bounds the size of a file
    (`file_too_large`) and of all files of a workspace (`quota_exceeded`).
    """

    Config = FileWriteConfig
    Output = FileData

    def run(self, node: NodeInput[FileWriteConfig], lent: Lent) -> NodeOutput:
        config = node.config
        if config.encoding == "base64":
            content = decode_base64(text_of(config.content), field="content")
        else:
            content = encodable(text_of(config.content)).encode()
        stored = made_files.put(node, lent, content, path=config.path, overwrite=config.overwrite)
        return NodeOutput(data=stored.to_json())
