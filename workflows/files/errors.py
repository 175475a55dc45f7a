"""Why a file cannot be read or written. Nodes and the API tell them in the same words.

InputError
├── BadPath (handlers.paths)   no path that a file may have
├── FileMissing
├── FileExists                 and may not be overwritten
├── FileTooLarge               for who reads it, or for this site
└── QuotaExceeded              the workspace has no room for it
ProviderError
└── FilesAway                  the storage does not answer; it may later
"""

from __future__ import annotations

from handlers import InputError, ProviderError


class FileMissing(InputError):
    """There is no such file."""

    code = "file_missing"

    def __init__(self, path: str) -> None:
        super().__init__(f"There is no file {path!r} in this workspace.")
        self.path = path


class FileExists(InputError):
    """There is such a file already."""

    code = "file_exists"

    def __init__(self, path: str) -> None:
        super().__init__(f"There is a file {path!r} already. Allow it to be overwritten, or choose another path.")
        self.path = path


class FileTooLarge(InputError):
    """The file is larger than may be."""

    code = "file_too_large"

    def __init__(self, path: str, *, size: int, most: int) -> None:
        super().__init__(f"{path!r} has {size:,} bytes; up to {most:,} are allowed.")
        self.path, self.size, self.most = path, size, most  # bytes


class QuotaExceeded(InputError):
    """The files of the workspace take all the room they may."""

    code = "quota_exceeded"

    def __init__(self, *, used: int, most: int, needed: int) -> None:
        super().__init__(
            f"The files of this workspace have {used:,} of {most:,} bytes; there is no room for {needed:,} more."
            " Delete some of them."
        )
        self.used, self.most, self.needed = used, most, needed  # bytes


class FilesAway(ProviderError):
    """The storage of files does not answer."""

    code = "storage_unreachable"
    retryable = True
