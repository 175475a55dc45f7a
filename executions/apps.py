from django.apps import AppConfig
from django.db.models.signals import post_delete


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"

    def ready(self) -> None:
        from executions import lifecycle, receivers  # noqa: PLC0415 -- they need the models

        lifecycle.connect()
        post_delete.connect(
            receivers.on_execution_deleted, sender="executions.Execution", dispatch_uid="executions.blobs"
        )
