from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

from workflows.credentials.querysets import CredentialQuerySet
from workflows.fields import PlainJSONField
from workflows.ids import uuid7
from workflows.workspaces.models import User, Workspace

LONGEST_NAME: Final = 128


class Credential(models.Model):
    """A key to somebody else's service, which nodes of the workspace name by id or name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="credentials", db_index=False)
    name = models.CharField(max_length=LONGEST_NAME)
    kind = models.CharField(max_length=64)
    plain = PlainJSONField(default=dict)  # fields of the kind that are no secrets
    secrets = models.TextField()  # the others: JSON, encrypted (`workflows.encryption`)
    secrets_set = ArrayField(models.CharField(max_length=64), default=list)  # their names: all that anybody is told
    expires_at = models.DateTimeField(null=True, blank=True)  # of an OAuth2 access token; NULL: nobody said
    refused_at = models.DateTimeField(null=True, blank=True)  # its provider renews it no more: connect it again
    last_used_at = models.DateTimeField(null=True, blank=True)  # a minute more or less
    tested_at = models.DateTimeField(null=True, blank=True)
    test_succeeded = models.BooleanField(null=True)
    test_message = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        # Also the index of a workspace's list, and of the names that nodes say.
        constraints = [models.UniqueConstraint(fields=["workspace", "name"], name="credential_once")]

    def __str__(self) -> str:
        return self.name


class Consent(models.Model):
    """Somebody has been sent to a provider to let a credential in; what comes back is held against this, once."""

    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, primary_key=True, related_name="+")
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the `state` that comes back: hexadecimal
    verifier = models.TextField()  # of the code that comes back (RFC 7636), encrypted
    redirect_uri = models.TextField()
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")  # NULL: an API key
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.credential_id)
