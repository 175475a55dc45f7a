from django.urls import path
from rest_framework.routers import SimpleRouter

from executions.views import ExecuteViewSet, ExecutionViewSet

router = SimpleRouter(trailing_slash=False)
router.register("executions", ExecutionViewSet, basename="execution")

urlpatterns = [
    path("workflows/<str:pk>/execute", ExecuteViewSet.as_view({"post": "execute"}), name="workflow-execute"),
    *router.urls,
]
