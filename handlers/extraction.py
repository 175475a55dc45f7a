"""The text of a file, whatever it is: which kind it is of, and its reader, in a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias, cast

from handlers import processes
from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.given_files import GivenFile
from handlers.ports import Lent
from handlers.processes import Bounds

FileKind: TypeAlias = Literal["pdf", "docx", "doc", "xlsx", "txt", "md", "html", "json", "csv"]
MAX_FILE_BYTES: Final = 50 * 1024 * 1024  # of a document that is read
# Two minutes of one core, and a gigabyte: a thousand pages of text take a tenth of either.
BOUNDS: Final = Bounds(seconds=120, cpu_seconds=120, address_bytes=1024**3, reply_bytes=64 * 1024**2)
_READERS: Final[Mapping[str, str]] = {
    "pdf": "handlers.documents.pdf:read",
    "docx": "handlers.documents.word:read",
    "xlsx": "handlers.documents.tables:read_workbook",
    "txt": "handlers.documents.texts:read_text",
    "md": "handlers.documents.texts:read_text",
    "csv": "handlers.documents.texts:read_text",
    "html": "handlers.documents.texts:read_html",
    "json": "handlers.documents.texts:read_json",
}
_ENDINGS: Final[Mapping[str, FileKind]] = {
    **{name: cast("FileKind", name) for name in (*_READERS, "doc")},
    "markdown": "md",
    "htm": "html",
    "xhtml": "html",
    "text": "txt",
    "log": "txt",
    "tsv": "csv",
    "docm": "docx",
    "xlsm": "xlsx",
}
_TYPES: Final[Mapping[str, FileKind]] = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/msword": "doc",
    "text/plain": "txt",
    "text/markdown": "md",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/json": "json",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
}


def kind_of(file: GivenFile) -> FileKind | None:
    """By its name, else by its type, else by how it begins; None for what has no text that could be read."""
    ending = file.name.lower().rpartition(".")[2] if "." in file.name else ""
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if (kind := _TYPES.get(file.content_type or "")) is not None:
        return kind
    if file.content.startswith(b"%PDF-"):
        return "pdf"
    if file.content_type is not None and not file.content_type.startswith("text/") and not ending:
        return None
    is_text = not ending and b"\0" not in file.content[:4096]
    return "txt" if is_text or (file.content_type or "").startswith("text/") else None


def extract(file: GivenFile, kind: FileKind, lent: Lent, **options: JSONValue) -> JSONObject:
    """`{"text", "metadata", …}` of a *file* of that *kind*; its reader in `handlers.documents` says what more there is.

    Raises InputError for one that cannot be read, or would take more than a document may.
    """
    if kind == "doc":
        raise InputError(
            f"{named(file)} is of Word's old format (.doc), which cannot be read. Save it as .docx, or as PDF.",
            code="unsupported_type",
        )
    return ask(_READERS[kind], file, lent, **options)


def ask(target: str, file: GivenFile, lent: Lent, **options: JSONValue) -> JSONObject:
    """What the reader *target*, as `module:function`, says of *file*."""
    argument: dict[str, Any] = {"what": named(file), **options}
    answer, _ = processes.compute(target, argument, file.content, bounds=BOUNDS, lent=lent)
    return cast("JSONObject", answer)


def named(file: GivenFile) -> str:
    """The file, in a sentence."""
    return repr(file.path or file.name) if file.path or file.name else "The file"
