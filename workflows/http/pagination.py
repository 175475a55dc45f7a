"""Lists come in numbered pages: `?page=` from 1, `?per_page=` from 1 to 100."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from handlers import JSONObject
from workflows.http.envelope import Page

if TYPE_CHECKING:
    from rest_framework.views import APIView  # at run time it imports this module, by way of the settings

PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")


class Pages(BasePagination):
    """What is no number counts as not given, what is out of range as the nearest; a page past the end is empty."""

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,
    ) -> list[Any]:
        del view
        self.page = max(1, _number(request, "page", default=1))
        self.per_page = min(max(1, _number(request, "per_page", default=PER_PAGE)), MOST_PER_PAGE)
        self.total = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        first = (self.page - 1) * self.per_page
        # Not asked of the database: an offset past its integers would be an error there.
        return list(queryset[first : first + self.per_page]) if first < self.total else []

    def get_paginated_response(self, data: Any) -> Response:
        return Response(Page(items=data, pagination=self.pagination()))

    def pagination(self) -> JSONObject:
        pages = -(-self.total // self.per_page)
        return {
            "page": self.page,
            "per_page": self.per_page,
            "total_count": self.total,
            "total_pages": pages,
            "has_next": self.page < pages,
            "has_prev": self.page > 1,
            "has_more": self.page < pages,  # has_next, as the published client calls it
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        del view
        return [
            _parameter("page", "The page, from 1.", {"type": "integer", "minimum": 1, "default": 1}),
            _parameter(
                "per_page",
                "How many on a page.",
                {"type": "integer", "minimum": 1, "maximum": MOST_PER_PAGE, "default": PER_PAGE},
            ),
        ]


def _number(request: Request, name: str, *, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if _NUMBER.fullmatch(text) else default


def _parameter(name: str, description: str, schema: JSONObject) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
