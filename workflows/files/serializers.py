"""Shapes of files on the wire."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from handlers.paths import LONGEST_PATH
from workflows.files.links import LIFETIME, LONGEST_LIFETIME, Purpose
from workflows.files.models import WorkspaceFile
from workflows.http.serializers import Body, EnumField

_PATH: Final = "Relative, with / between its parts; without . and .. among them, backslashes and control characters."


class FileSerializer(serializers.ModelSerializer[WorkspaceFile]):
    """A file of the workspace."""

    name = serializers.CharField(help_text="The last part of its path.")
    size = serializers.IntegerField(help_text="In bytes.")
    content_type = serializers.CharField(help_text="As whoever wrote it said, or by its name.")
    sha256 = serializers.CharField(help_text="Of its content, in hexadecimal digits; also the ETag of downloads.")

    class Meta:
        model = WorkspaceFile
        fields = ["path", "name", "size", "content_type", "sha256", "created_at", "updated_at"]
        read_only_fields = fields


class ListQuery(serializers.Serializer[Any]):
    prefix = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=LONGEST_PATH,
        trim_whitespace=False,
        help_text="Only files whose path begins with this: `reports/` for all that is in a folder.",
    )


class WriteQuery(serializers.Serializer[Any]):
    overwrite = serializers.BooleanField(
        required=False, default=False, help_text="Whether a file that is there may be replaced."
    )


class Upload(Body):
    """A file to be, as a form sends it."""

    file = serializers.FileField(allow_empty_file=True, help_text="The content, with its type.")
    path = serializers.CharField(
        required=False, max_length=LONGEST_PATH, trim_whitespace=False, help_text=f"Default: the name sent. {_PATH}"
    )
    overwrite = serializers.BooleanField(
        required=False, default=False, help_text="Whether a file that is there may be replaced."
    )


class NewLink(Body):
    """A link to be."""

    path = serializers.CharField(max_length=LONGEST_PATH, trim_whitespace=False, help_text=_PATH)
    purpose = EnumField(
        Purpose,
        required=False,
        default=Purpose.DOWNLOAD.value,
        help_text="upload: send the content with PUT to where nothing is yet; replace: also over what is there.",
    )
    expires_in = serializers.IntegerField(
        required=False,
        default=int(LIFETIME.total_seconds()),
        min_value=1,
        max_value=int(LONGEST_LIFETIME.total_seconds()),
        help_text="Seconds.",
    )


class FileLinkSerializer(serializers.Serializer[Any]):
    """A link that works without a key until it runs out."""

    url = serializers.CharField()
    path = serializers.CharField()
    purpose = EnumField(Purpose)
    expires_at = serializers.DateTimeField()


class DeletedFileSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    deleted = serializers.BooleanField()
