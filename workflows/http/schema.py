"""The OpenAPI description of the API: the envelope around every answer, the errors, and who may call.

Components are what travels: for a serializer `Workflow` there are `Workflow`, `WorkflowAnswer` ({"data", "meta"}) and
`WorkflowPage` (with "pagination").
"""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from workflows.http import idempotency
from workflows.http.permissions import HasScopes, required_scopes
from workflows.http.serializers import Body, EnumField

JSON: Final = "application/json"

_META: Final = {
    "type": "object",
    "properties": {
        "request_id": {"type": "string", "description": "Also in the X-Request-ID header."},
        "timestamp": {"type": "string", "format": "date-time"},
    },
    "required": ["request_id", "timestamp"],
}
_PAGINATION: Final = {
    "type": "object",
    "properties": {
        "page": {"type": "integer"},
        "per_page": {"type": "integer"},
        "total_count": {"type": "integer"},
        "total_pages": {"type": "integer"},
        "has_next": {"type": "boolean"},
        "has_prev": {"type": "boolean"},
        "has_more": {"type": "boolean", "description": "The same as has_next."},
    },
    "required": ["page", "per_page", "total_count", "total_pages", "has_next", "has_prev", "has_more"],
}
_ERROR: Final = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "For programs: it stays what it is.", "examples": ["not_published"]},
        "message": {"type": "string", "description": "For people: it may be reworded."},
        "details": {"type": "object", "additionalProperties": {}, "description": "What the code implies, if anything."},
    },
    "required": ["code", "message"],
}
_REFUSALS: Final = {
    "400": "The request does not make sense: `validation_error` names the fields.",
    "401": "No API key or session, or not a good one: `invalid_api_key`, `revoked_api_key`, `expired_api_key`.",
    "403": "The key or role lacks a scope: `insufficient_scope`.",
    "404": "There is none, or it belongs to another workspace: `resource_not_found`.",
    "409": "It cannot be done as things are; the code says why.",
    "413": "The body is larger than 10 MB: `payload_too_large`.",
    "415": "The body is not JSON: `unsupported_media_type`.",
    "default": "Any other error has the same body.",
}


class EnvelopeSchema(AutoSchema):
    """DRF views as they answer once `workflows.http.envelope` and `flowmaestro.api` are done with them."""

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular overrides it
        """The action's docstring after its first sentence, and the scopes it wants."""
        told = super().get_description().partition(". ")[2]
        if self._is_guarded():
            scopes = ", ".join(f"`{scope}`" for scope in sorted(required_scopes(self.view, self.method)))
            told = f"{told}\n\nScopes: {scopes}.".lstrip()
        return told

    def get_summary(self) -> str:
        """The first sentence of the action's docstring."""
        return super().get_description().partition(". ")[0].removesuffix(".")

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def get_operation_id(self) -> str:
        """`workflows_publish` rather than `workflows_publish_create`: an action is called by its name."""
        name = getattr(self.view, "action", None)
        if name in {None, "list", "create", "retrieve", "partial_update", "destroy"}:
            return super().get_operation_id()
        return "_".join([*(part.replace("-", "_") for part in self._tokenize_path()[:1]), str(name)])

    def _map_serializer(self, serializer: Any, direction: Any, bypass_extensions: Any = None) -> Any:
        schema: dict[str, Any] = super()._map_serializer(serializer, direction, bypass_extensions)  # type: ignore[no-untyped-call]  # untyped there
        properties: dict[str, dict[str, Any]] = schema.get("properties", {})
        if direction == "response":
            for field in properties.values():
                field.pop("readOnly", None)  # what is only ever sent to you needs no saying so
        elif isinstance(serializer, Body):
            schema["additionalProperties"] = False
            for name, field in properties.items():
                if name not in schema.get("required", ()) and isinstance(field.get("type"), str):
                    field["type"] = [field["type"], "null"]
        return schema

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for code in self._refusals():
            bodies.setdefault(code, {"description": _REFUSALS[code]})
        for code, body in bodies.items():
            if not code.startswith("2"):
                body.setdefault("content", {JSON: {"schema": self._error().ref}})
        return bodies

    def _get_response_for_code(
        self, serializer: Any, status_code: Any, media_types: Any = None, direction: Any = "response"
    ) -> Any:
        body: dict[str, Any] = super()._get_response_for_code(serializer, status_code, media_types, direction)  # type: ignore[no-untyped-call]  # untyped there
        for media_type, content in body.get("content", {}).items():
            if media_type != JSON:  # the content of a file
                continue
            content["schema"] = self._wrapped(content["schema"])
            for example in content.get("examples", {}).values():
                example["value"] = {"data": example["value"], "meta": _EXAMPLE_META}
        return body

    def _wrapped(self, schema: dict[str, Any]) -> dict[str, Any]:
        """*schema* inside the envelope; a component gets one of its own for it."""
        pagination = {"pagination": self._component("Pagination", _PAGINATION).ref}
        parts = {"data": schema, "meta": self._component("Meta", _META).ref}
        name = schema.get("$ref", "").rpartition("/")[2]
        if name.endswith("Page"):
            page = self.registry[(name, ResolvedComponent.SCHEMA)]
            if page.schema.get("type") == "array":
                page.schema = _object({"data": page.schema, **pagination, "meta": parts["meta"]})
            return schema
        return self._component(f"{name}Answer", _object(parts)).ref if name else _object(parts)

    def _component(self, name: str, schema: dict[str, Any]) -> ResolvedComponent:
        component = ResolvedComponent(name=name, type=ResolvedComponent.SCHEMA, schema=schema, object=name)  # type: ignore[no-untyped-call]  # untyped there
        self.registry.register_on_missing(component)
        return component

    def _error(self) -> ResolvedComponent:
        parts = {"error": self._component("ErrorDetail", _ERROR).ref, "meta": self._component("Meta", _META).ref}
        return self._component("Error", _object(parts))

    def _is_guarded(self) -> bool:
        return any(isinstance(permission, HasScopes) for permission in self.view.get_permissions())

    def _refusals(self) -> list[str]:
        sends = self.method in {"POST", "PATCH", "PUT"}
        applies = {
            "400": True,
            "401": self._is_guarded(),
            "403": self._is_guarded(),
            "404": "{" in self.path,
            "409": idempotency.PARAMETER in self.get_override_parameters(),
            "413": sends,
            "415": sends and self.method != "PUT",
            "default": True,
        }
        return [code for code in _REFUSALS if applies[code]]


class EnumComponent(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # registers itself by inheriting
    """An enumeration is a component of its own, so that one has one name wherever it is used."""

    target_class = EnumField

    def get_name(self) -> str:
        return str(self.target.members.__name__)

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        del auto_schema, direction
        return {"type": "string", "enum": [member.value for member in self.target.members]}


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself by inheriting
    """A key travels in either of two headers."""

    target_class = "workflows.http.auth.ApiKeyAuthentication"
    name = ["apiKeyBearer", "apiKeyHeader"]

    def get_security_definition(self, auto_schema: Any) -> Any:
        del auto_schema
        return [
            {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer fm_live_…`"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "`X-API-Key: fm_live_…`"},
        ]

    def get_security_requirement(self, auto_schema: Any) -> Any:
        del auto_schema
        return [{name: []} for name in self.name]


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # registers itself by inheriting
    target_class = "workflows.http.auth.WorkspaceSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> Any:
        del auto_schema
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The browser's session; writing needs X-CSRFToken. Who is a member of several workspaces "
            "names one in X-Workspace-Id.",
        }


_EXAMPLE_META: Final = {"request_id": "req_0199a0b1c2d37e4f", "timestamp": "2026-01-05T09:30:00.000Z"}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}
