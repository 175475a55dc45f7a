"""Where the files are that a node stores, and what a file may be called whose name comes from outside."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote

from handlers.base import NodeInput
from handlers.paths import BadPath, clean_path

LONGEST_NAME: Final = 120  # characters
_UNSAFE: Final = re.compile(r"[^\w .,()+=@-]+")
_MOST_DECODINGS: Final = 5
_LONGEST_PART: Final = 100  # characters of a node's id in a path
_LONGEST_SLUG: Final = 40


def path_in_run(node: NodeInput[Any], name: str) -> str:
    """Where this visit of *node* stores the file *name*: the same in every attempt, and no other visit's."""
    visit = [part for part in (*node.scope.split("/"), node.node_id) if part]
    return "/".join(("runs", str(node.execution_id), *map(_part, visit), name))


def file_name(suggested: str | None, *, content_type: str = "", otherwise: str = "download") -> str:
    """A name for a file that somebody outside calls *suggested*: its last part, of harmless characters.

    One without an ending gets that of its type.
    """
    name = suggested or ""
    for _ in range(_MOST_DECODINGS):  # `%252e%252e%252f` is for whoever decodes twice
        name = unquote(name)
    name = unicodedata.normalize("NFKC", name).replace("\\", "/").rpartition("/")[2]
    name = _UNSAFE.sub("_", name).strip("_ .") or otherwise
    stem, ending = PurePosixPath(name).stem, PurePosixPath(name).suffix
    if not ending:
        ending = mimetypes.guess_extension(content_type.partition(";")[0].strip().lower()) or ""
    return stem[: LONGEST_NAME - len(ending[:20])].rstrip(" .") + ending[:20]


def _part(text: str) -> str:
    """A part of a path that stands for *text* alone: itself, if it can be one."""
    try:
        if "/" not in text and len(text) <= _LONGEST_PART and clean_path(text) == text:
            return text
    except BadPath:
        pass
    digits = sha256(text.encode(errors="replace")).hexdigest()[:8]
    return f"{_UNSAFE.sub('-', text)[:_LONGEST_SLUG].strip('. -') or 'node'}-{digits}"
