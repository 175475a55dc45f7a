from rest_framework.routers import SimpleRouter

from workflows.variables.views import VariableViewSet

router = SimpleRouter(trailing_slash=False)
router.register("variables", VariableViewSet, basename="variable")

urlpatterns = router.urls
