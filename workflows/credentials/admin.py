"""Credentials for operators: what is set, new values for them, and a test. A secret is typed in and never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from workflows.credentials import services, values
from workflows.credentials.errors import CredentialRefused
from workflows.credentials.kind import Kind, NotTestable, kinds
from workflows.credentials.models import Credential
from workflows.read_only import ReadOnly

_KNOWN = ("id", "name", "workspace", "kind", "status", "expires_at", "last_used_at", "last_test", "created_at")


class ValuesForm(forms.ModelForm):  # type: ignore[type-arg]  # generic to the type checker only
    """New values for a credential's fields. A secret that is left empty stays."""

    class Meta:
        model = Credential
        fields: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            values.merged(self.instance, self.given())
        except CredentialRefused as refused:
            for field, message in refused.wrong:
                name = field.removeprefix("values.")
                self.add_error(name if name in self.fields else None, message)
        return cleaned

    def given(self) -> dict[str, str | None]:
        """What was typed in: a plain field that was emptied is null, a secret that is empty is left out."""
        secret = kinds()[self.instance.kind].secret_fields()
        return {name: text or None for name, text in self.cleaned_data.items() if text or name not in secret}


@admin.register(Credential)
class CredentialAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # generic to the type checker only
    list_display = ["name", "workspace", "kind", "status", "last_test", "last_used_at"]
    list_filter = ["workspace", "kind", "test_succeeded"]
    search_fields = ["name"]
    ordering = ["workspace__name", "name"]
    list_select_related = ["workspace"]
    readonly_fields = _KNOWN
    actions = ["test"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and obj.kind not in kinds():
            return False  # of a plug-in that is not installed any more: nobody knows its fields
        return admin.ModelAdmin.has_change_permission(self, request, obj)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **named)

    def get_fields(self, request: HttpRequest, obj: Credential | None = None) -> Any:
        kind = kinds().get(obj.kind) if obj and self.has_change_permission(request, obj) else None
        return [*_KNOWN, *(kind.model_fields if kind else ())]

    def get_form(self, request: HttpRequest, obj: Credential | None = None, *args: Any, **named: Any) -> Any:
        kind = kinds().get(obj.kind) if obj else None
        form = type("ValuesForm", (ValuesForm,), _inputs(kind, obj) if kind and obj else {})
        return super().get_form(request, obj, *args, form=form, **named)

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:  # noqa: FBT001 -- Django's
        del request, change
        services.update_credential(obj.pk, changes={"values": form.given()})

    @admin.action(description="Test", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        for credential in queryset:
            try:
                tested = services.test_credential(credential.pk)
            except NotTestable as error:
                messages.warning(request, f"{credential.name}: {error}")
                continue
            level = messages.SUCCESS if tested.test_succeeded else messages.ERROR
            messages.add_message(request, level, f"{credential.name}: {tested.test_message}")

    @admin.display(description="status")
    def status(self, credential: Credential) -> str:
        return "ready" if credential.refused_at is None else "expired: connect it again"

    @admin.display(description="last test")
    def last_test(self, credential: Credential) -> str:
        if credential.tested_at is None:
            return "—"
        return f"{'good' if credential.test_succeeded else 'bad'}: {credential.test_message}"


def _inputs(kind: type[Kind], credential: Credential) -> dict[str, forms.Field]:
    """An input for each field of *kind*; those of secrets say whether there is one, and nothing of it."""
    inputs: dict[str, forms.Field] = {}
    for name, field in kind.model_fields.items():
        told = field.description or ""
        if name in kind.secret_fields():
            state = "It is set: leave it empty to keep it." if name in credential.secrets_set else "It is not set."
            widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
            inputs[name] = forms.CharField(required=False, strip=False, widget=widget, help_text=f"{told} {state}")
        else:
            inputs[name] = forms.CharField(required=False, initial=credential.plain.get(name), help_text=told)
    return inputs
