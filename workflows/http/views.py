"""What the API's views have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import GenericViewSet

from workflows.http.auth import Caller, caller_of
from workflows.http.errors import ObjectNotFound
from workflows.http.parsers import BodyParser

ModelT = TypeVar("ModelT", bound=Model)


class Endpoints(GenericViewSet[Any]):
    """Base of the API's views: JSON in, scopes per action, and the caller at hand."""

    scopes: ClassVar[Mapping[str, Collection[str]]]  # per action; see workflows.http.permissions
    parser_classes = [BodyParser]
    http_method_names = ["get", "post", "patch", "delete", "head"]

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # A chunked body announces no length, which REST framework takes for no body.
        if not request.META.get("CONTENT_LENGTH") and request.headers.get("Transfer-Encoding"):
            request.META["CONTENT_LENGTH"] = str(len(request.body))

    def page_of(self, items: QuerySet[Any] | Sequence[Any]) -> list[Any]:
        """The page of *items* that was asked for; `get_paginated_response` answers with it."""
        return cast("list[Any]", self.paginate_queryset(cast("QuerySet[Any]", items)))

    def query(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """What was asked behind the `?`, checked by *serializer*. Raises ValidationError."""
        return self._checked(serializer(data=self.request.query_params))

    def body(self, serializer: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The request's body, checked by *serializer*. Raises ValidationError."""
        return self._checked(serializer(data=self.request.data, partial=partial))

    @staticmethod
    def _checked(given: Serializer[Any]) -> dict[str, Any]:
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)


def find(queryset: QuerySet[ModelT], key: object) -> ModelT:
    """The object of *queryset* with the primary key *key*, a UUID or the text of one. Raises ObjectNotFound."""
    try:
        return queryset.get(pk=key if isinstance(key, UUID) else UUID(str(key)))
    except (ValueError, ObjectDoesNotExist):
        raise ObjectNotFound(queryset.model.__name__, key) from None
