"""Office documents are zips of XML: whether one may be opened at all.

A zip says how large its parts will be, and Python's reader unpacks no more of a part than it says; so the sum of what
they say bounds what comes out. What is in a part is not unpacked again, a zip in a zip stays a zip. Such a document has
no use for a document type declaration (ECMA-376, part 2, 8.1.3 forbids it), and entities are declared nowhere else:
without one no entity grows, and none is fetched.
"""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Final

from handlers.documents.failures import UNREADABLE, reading, too_complex
from handlers.errors import InputError

MOST_PARTS: Final = 5_000
MOST_BYTES: Final = 150 * 1024 * 1024  # of all parts, unpacked
# Source: the same standard, 8.1.3: parts are UTF-8 or UTF-16. In another encoding a declaration could hide.
_ENCODING: Final = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
_ENCODINGS: Final = frozenset({b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii"})
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def check_package(content: bytes, what: str) -> frozenset[str]:
    """The names of the parts of an office document. Raises InputError for one that may not be opened, or is none."""
    if content.startswith(_OLE):
        raise InputError(f"{what} is encrypted, or of the old format before 2007. Save it anew.", code=UNREADABLE)
    with reading(what), zipfile.ZipFile(BytesIO(content)) as package:
        parts = package.infolist()
        if len(parts) > MOST_PARTS:
            raise too_complex(f"{what} has {len(parts):,} parts; up to {MOST_PARTS:,} are opened.")
        size = sum(part.file_size for part in parts)
        if size > MOST_BYTES:
            raise too_complex(f"{what} unpacks to {size / 1024**2:,.0f} MB; up to {MOST_BYTES / 1024**2:,.0f} are.")
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                _check_xml(package.read(part), part.filename, what)
    return frozenset(part.filename for part in parts)


def _check_xml(part: bytes, name: str, what: str) -> None:
    plain = part.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff").replace(b"\0", b"")
    encoding = _ENCODING.match(plain.lstrip())
    if encoding is not None and encoding[1].lower() not in _ENCODINGS:
        raise InputError(f"{what} has a part of an encoding that none may have ({name[:80]}).", code=UNREADABLE)
    if not plain.lstrip().startswith(b"<"):
        raise InputError(f"{what} has a part that is no XML ({name[:80]}).", code=UNREADABLE)
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise too_complex(f"{what} declares entities, which no such document needs ({name[:80]}).")
