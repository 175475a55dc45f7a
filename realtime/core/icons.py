"""The picture of a node type: a symbol of `templates/realtime/icons.svg`, and the tone it is painted in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_BY_TYPE: Final[Mapping[str, str]] = {
    "trigger": "bolt",
    "input": "enter",
    **dict.fromkeys(("file", "fileRead", "fileWrite", "files", "pdfExtract", "pdfGeneration"), "file"),
    "url": "globe",
    "webBrowse": "globe",
    "webSearch": "globe",
    "fileDownload": "file",
    "output": "exit",
    "response": "exit",
    "http": "globe",
    "database": "layers",
    "llm": "spark",
    "agent": "spark",
    "conditional": "branch",
    "switch": "fork",
    "router": "fork",
    "transform": "braces",
    "code": "code",
    "setVariable": "pin",
    "shared-memory": "book",
    "humanReview": "person",
    "wait": "clock",
    "waitForEvent": "bell",
    "waitForToken": "key",
    "loop": "repeat",
    "parallel": "columns",
    "subWorkflow": "layers",
    "knowledgeBaseQuery": "book",
}
_BY_CATEGORY: Final[Mapping[str, tuple[str, str]]] = {  # symbol, tone
    "inputs": ("enter", "slate"),
    "outputs": ("exit", "slate"),
    "ai": ("spark", "violet"),
    "integrations": ("globe", "blue"),
    "logic": ("braces", "amber"),
    "utils": ("box", "slate"),
}


def icon(node_type: str, category: str) -> tuple[str, str]:
    """Symbol and tone. A type of a plug-in has its category's, an unknown category a plain box."""
    symbol, tone = _BY_CATEGORY.get(category, ("box", "teal"))
    return _BY_TYPE.get(node_type, symbol), tone
