"""Every address. What is below /api and at none of them is still answered by the API."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from flowmaestro.api import UnknownEndpoint
from flowmaestro.docs import RedocView, SchemaView, SwaggerView
from flowmaestro.health import LiveView, ReadyView
from workflows.files import urls as files

admin.site.site_header = admin.site.site_title = "FlowMaestro"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", SwaggerView.as_view(), name="docs"),
    path("api/redoc", RedocView.as_view(), name="redoc"),
    path("api/v1/", include("workflows.urls")),
    path("api/v1/", include("executions.urls")),
    path("", include(files.public)),
    path("", include("workflows.credentials.pages")),
    path("", include("executions.waitpoints.urls")),
    path("", include("realtime.urls")),
    re_path(r"^api(/|$)", UnknownEndpoint.as_view()),
    path("admin/", admin.site.urls),
]

handler400 = "flowmaestro.api.bad_request"
handler500 = "flowmaestro.api.server_error"
