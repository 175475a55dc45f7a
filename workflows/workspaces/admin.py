"""People, workspaces and keys. What would take history along when it goes is not deleted here: it is switched off."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from workflows.workspaces import services
from workflows.workspaces.models import ApiKey, Member, User, Workspace
from workflows.workspaces.roles import ALL_SCOPES


class MemberInline(admin.TabularInline):  # type: ignore[type-arg]  # generic to the type checker only
    model = Member
    extra = 0
    autocomplete_fields = ["user", "workspace"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    inlines = [MemberInline]

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Never: `is_active` locks a person out and keeps what they did under their name."""
        del request, obj
        return False


@admin.register(Workspace)
class WorkspaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [MemberInline]

    def has_delete_permission(self, request: HttpRequest, obj: Workspace | None = None) -> bool:
        """Never: everything a workspace has would go with it."""
        del request, obj
        return False


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    scopes = forms.MultipleChoiceField(
        choices=[(scope, scope) for scope in sorted(ALL_SCOPES)], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiKey
        fields = ["workspace", "name", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    """Keys are made and revoked, never changed: who holds one may rely on what it can do."""

    form = ApiKeyForm
    list_display = ["name", "prefix", "workspace", "state", "last_used_at", "expires_at", "created_at"]
    list_filter = ["workspace", "created_at"]
    search_fields = ["name", "prefix"]
    list_select_related = ["workspace"]
    autocomplete_fields = ["workspace"]
    ordering = ["-created_at"]
    actions = ["revoke"]

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        del request
        asked = ("workspace", "name", "scopes", "expires_at")
        return asked if obj is None else (*asked, "prefix", "state", "created_by", "created_at", "last_used_at")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Never: a revoked key is told that it was revoked."""
        del request, obj
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("workflows.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: Any) -> None:
        del form, change
        key, text = services.create_api_key(
            obj.workspace,
            name=obj.name,
            scopes=obj.scopes,
            created_by=cast("User", request.user),
            expires_at=obj.expires_at,
        )
        vars(obj).update(vars(key))  # the admin goes on with the object it was given
        sentence = "The key is <code>{}</code>. Copy it now: it cannot be shown again."
        self.message_user(request, format_html(sentence, text), messages.WARNING)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at is not None:
            return "revoked"
        return "expired" if key.expires_at is not None and key.expires_at <= timezone.now() else "usable"

    @admin.action(description="Revoke selected keys", permissions=["revoke"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        now = timezone.now()
        for key in keys:
            services.revoke_api_key(key, now=now)
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"Revoked: {', '.join(key.name for key in keys)}.", messages.SUCCESS)
