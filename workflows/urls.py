from rest_framework.routers import SimpleRouter

from workflows.credentials import urls as credentials
from workflows.files import urls as files
from workflows.variables import urls as variables
from workflows.views import NodeTypeViewSet, WorkflowViewSet

router = SimpleRouter(trailing_slash=False)
router.register("workflows", WorkflowViewSet, basename="workflow")
router.register("node-types", NodeTypeViewSet, basename="node-type")

urlpatterns = [*router.urls, *variables.urlpatterns, *credentials.urlpatterns, *files.urlpatterns]
