from django.apps import AppConfig
from django.conf import settings

from handlers import registry


class WorkflowsConfig(AppConfig):
    name = "workflows"
    verbose_name = "Workflows"

    def ready(self) -> None:
        # Planning needs every node type's ports and configuration; a plug-in that cannot be imported stops us here.
        registry.load(settings.FLOWMAESTRO_NODE_HANDLERS)
