"""The API's description and two ways to read it, all from our own files: no page asks another host for anything."""

from __future__ import annotations

from typing import Any, Final

from django.templatetags.static import static
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

# Redoc's bundle would fetch a logo from its maker; it searches in a worker that it makes of a blob.
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; worker-src blob:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1; JSON unless YAML is asked for."""

    authentication_classes = []
    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]


class _Page(APIView):
    authentication_classes = []

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer["Content-Security-Policy"] = POLICY
        return answer


class SwaggerView(_Page, SpectacularSwaggerSplitView):
    """Swagger UI: try the API from the browser."""

    @staticmethod
    def _swagger_ui_favicon() -> str:
        return static("drf_spectacular_sidecar/swagger-ui-dist/favicon-32x32.png")


class RedocView(_Page, SpectacularRedocView):
    """Redoc: read the API."""

    template_name = "flowmaestro/redoc.html"
