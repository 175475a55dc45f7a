"""Google Drive: find, store, move and share files. The credential is OAuth2 with the scope `drive`."""

from __future__ import annotations

import json
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import AliasChoices, Field, model_validator

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.integrations import Answer, CursorPaging, Errand, Listing, Parameters, Sent
from handlers.integrations.files import FilePath, read_file, write_file
from handlers.integrations.google import google_provider
from handlers.integrations.parameters import Place, Unsent
from handlers.values import Text

drive = google_provider(
    "google-drive",
    title="Google Drive",
    base_url="https://www.googleapis.com",
    doc=__doc__ or "",
    aliases=("drive", "gdrive"),
)
FIELDS = "id,name,mimeType,size,parents,webViewLink,createdTime,modifiedTime"
FOLDER = "application/vnd.google-apps.folder"
PAGES = CursorPaging(items="files", cursor="nextPageToken", sent_as="pageToken", size="pageSize", most=1000)
BOTH_KINDS = {"supportsAllDrives": True, "includeItemsFromAllDrives": True}
FOLDER_NAMES = ("folderId", "folder", "parentId")


class OneFile(Parameters):
    """What is done to one file or folder."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))
    fields: Annotated[str, Sent(place=Place.QUERY)] = Field(FIELDS, description="What is told of it; * for all.")
    supports_all_drives: Annotated[bool, Sent(place=Place.QUERY)] = Field(True, description="Shared drives, too.")


class Made(Parameters):
    """What a new file or folder is called, and where it is."""

    name: str = Field(validation_alias=AliasChoices("name", "fileName", "filename", "folderName", "title"))
    folder_id: Annotated[str | None, Unsent] = Field(
        None, validation_alias=AliasChoices(*FOLDER_NAMES), description="The id of the folder it goes into."
    )
    fields: Annotated[str, Sent(place=Place.QUERY)] = Field(FIELDS, description="What is told of it; * for all.")
    supports_all_drives: Annotated[bool, Sent(place=Place.QUERY)] = Field(True, description="Shared drives, too.")

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        del errand
        return drawn | ({} if self.folder_id is None else {"parents": [self.folder_id]})


@drive.operation("listFiles", "GET /drive/v3/files", paging=PAGES)
class ListFiles(Listing):
    """Files and folders, of a folder or of all."""

    q: Annotated[str | None, Unsent] = Field(
        None, validation_alias=AliasChoices("q", "query"), description="Drive's search: mimeType = 'text/csv' …"
    )
    folder_id: Annotated[str | None, Unsent] = Field(None, validation_alias=AliasChoices(*FOLDER_NAMES))
    trashed: Annotated[bool, Unsent] = Field(False, description="Those in the bin, in place of the others.")
    order_by: str | None = Field(None, description="modifiedTime desc, name …")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        conditions = [] if self.q is None else [f"({self.q})"]
        if self.folder_id is not None:
            conditions.append(f"{_quoted(self.folder_id)} in parents")
        conditions.append(f"trashed = {str(self.trashed).lower()}")
        return drawn | BOTH_KINDS | {"q": " and ".join(conditions), "fields": f"nextPageToken,files({FIELDS})"}


@drive.operation("searchFiles", "GET /drive/v3/files", paging=PAGES)
class SearchFiles(Listing):
    """Files by words of their name or their text."""

    query: Annotated[str, Unsent] = Field(validation_alias=AliasChoices("query", "text", "name"))
    in_name: Annotated[bool, Unsent] = Field(False, description="Search names alone.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        where = "name" if self.in_name else "fullText"
        found = f"{where} contains {_quoted(self.query)} and trashed = false"
        return drawn | BOTH_KINDS | {"q": found, "fields": f"nextPageToken,files({FIELDS})"}


@drive.operation("getFile", "GET /drive/v3/files/{file_id}", aliases=("getFileMetadata",))
class GetFile(OneFile):
    """What is known of a file. `downloadFile` fetches its content."""


@drive.operation("downloadFile", "GET /drive/v3/files/{file_id}", takes_bytes=True)
class DownloadFile(Parameters):
    """Store the content of a file as a file of the workspace. Documents of Google's own kinds are exported instead."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))
    save_as: Annotated[str, Unsent] = Field(validation_alias=AliasChoices("saveAs", "path"), description="Its path.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return drawn | {"alt": "media", "supportsAllDrives": True}

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        return _stored(self.save_as, answer, errand)


@drive.operation("exportFile", "GET /drive/v3/files/{file_id}/export", takes_bytes=True)
class ExportFile(Parameters):
    """Store a document, table or presentation of Google's as a file of the workspace, in a format of others."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))
    mime_type: str = Field(description="application/pdf, text/csv, …")
    save_as: Annotated[str, Unsent] = Field(validation_alias=AliasChoices("saveAs", "path"), description="Its path.")

    def make_result(self, answer: Answer, errand: Errand) -> JSONValue:
        return _stored(self.save_as, answer, errand)


@drive.operation("createFolder", "POST /drive/v3/files")
class CreateFolder(Made):
    """Make a folder."""

    def make_body(self, drawn: JSONObject, errand: Errand) -> JSONValue:
        return super().make_body(drawn | {"mimeType": FOLDER}, errand)


@drive.operation("uploadFile", "POST /upload/drive/v3/files", aliases=("createFile",))
class UploadFile(Made):
    """Store a file of the workspace (`file`), or text (`content`), of up to 50 MB."""

    file: Annotated[FilePath | None, Unsent] = Field(None, description="The path of a file of the workspace.")
    content: Annotated[Text | None, Unsent] = Field(None, description="Text, in place of a file.")
    mime_type: Annotated[str | None, Unsent] = Field(None, description="What the content is; guessed if not said.")

    def make_query(self, drawn: JSONObject) -> JSONObject:
        return drawn | {"uploadType": "multipart"}

    @model_validator(mode="after")
    def _has_content(self) -> UploadFile:
        if (self.file is None) is (self.content is None):
            raise ValueError("Say either file or content.")
        return self

    def make_content(self, errand: Errand) -> tuple[bytes, str]:
        """Metadata and content as the parts of one body. Source: Drive API, "Perform a multipart upload"; RFC 2387."""
        if self.file is not None:
            content, guessed, _ = read_file(self.file, errand)
        else:
            content, guessed = (self.content or "").encode(), "text/plain; charset=utf-8"
        kind = self.mime_type or guessed
        if "\r" in kind or "\n" in kind:
            raise InputError("mimeType has a line break in it.")
        # It stands in no content by chance, and the key that it is made of is known to nobody before the run.
        boundary = uuid5(NAMESPACE_URL, errand.idempotency_key).hex
        told = json.dumps(self.make_body({"name": self.name}, errand)).encode()
        parts = [(b"application/json; charset=UTF-8", told), (kind.encode(), content)]
        body = b"".join(
            b"--%b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (boundary.encode(), name, part) for name, part in parts
        )
        return body + b"--%b--\r\n" % boundary.encode(), f"multipart/related; boundary={boundary}"


@drive.operation("moveFile", "PATCH /drive/v3/files/{file_id}")
class MoveFile(OneFile):
    """Put a file into another folder."""

    folder_id: Annotated[str, Sent(place=Place.QUERY, name="addParents")] = Field(
        validation_alias=AliasChoices(*FOLDER_NAMES), description="The id of the folder it goes into."
    )
    from_folder_id: Annotated[str | None, Sent(place=Place.QUERY, name="removeParents")] = Field(
        None, description="The id of the folder it leaves."
    )


@drive.operation("copyFile", "POST /drive/v3/files/{file_id}/copy")
class CopyFile(Made):
    """Copy a file, under another name."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))


@drive.operation("shareFile", "POST /drive/v3/files/{file_id}/permissions", aliases=("createPermission",))
class ShareFile(Parameters):
    """Let somebody, or anybody with the link, see or change a file."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))
    role: Literal["reader", "commenter", "writer"] = "reader"
    type: Literal["user", "group", "domain", "anyone"] = "user"
    email_address: str | None = Field(None, validation_alias=AliasChoices("emailAddress", "email"))
    domain: str | None = None
    send_notification_email: Annotated[bool | None, Sent(place=Place.QUERY)] = None
    supports_all_drives: Annotated[bool, Sent(place=Place.QUERY)] = True

    @model_validator(mode="after")
    def _names_whom(self) -> ShareFile:
        if self.type in {"user", "group"} and self.email_address is None:
            raise ValueError(f"Sharing with a {self.type} needs an emailAddress.")
        return self


@drive.operation("deleteFile", "DELETE /drive/v3/files/{file_id}")
class DeleteFile(Parameters):
    """Delete a file for good; Google answers nothing."""

    file_id: str = Field(validation_alias=AliasChoices("fileId", "id"))
    supports_all_drives: bool = True


def _quoted(text: str) -> str:
    """A text in a search. Source: Drive API, "Search query terms and operators": backslashes and quotes are escaped."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _stored(path: str, answer: Answer, errand: Errand) -> JSONValue:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip() or None
    return write_file(path, answer.content, errand, content_type=kind)
