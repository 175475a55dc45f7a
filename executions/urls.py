from django.urls import path
from rest_framework.routers import SimpleRouter

from executions.bulk_views import BulkViewSet
from executions.views import ExecuteViewSet, ExecutionViewSet
from executions.waitpoints.views import EventViewSet, WaitpointViewSet

router = SimpleRouter(trailing_slash=False)
router.register("executions", ExecutionViewSet, basename="execution")
router.register("waitpoints", WaitpointViewSet, basename="waitpoint")

urlpatterns = [
    path("workflows/<str:pk>/execute", ExecuteViewSet.as_view({"post": "execute"}), name="workflow-execute"),
    path("events", EventViewSet.as_view({"post": "create"}), name="event-list"),
    path("executions/bulk", BulkViewSet.as_view({"post": "bulk"}), name="execution-bulk"),
    *router.urls,
]
