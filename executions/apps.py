from django.apps import AppConfig


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"

    def ready(self) -> None:
        from executions import lifecycle  # noqa: PLC0415 -- it needs the models

        lifecycle.connect()
