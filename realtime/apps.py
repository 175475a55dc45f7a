from celery.signals import worker_process_shutdown
from django.apps import AppConfig

from executions.signals import events_recorded, metadata_set, progress_told, token_streamed


class RealtimeConfig(AppConfig):
    name = "realtime"
    verbose_name = "Realtime"

    def ready(self) -> None:
        from realtime import receivers  # noqa: PLC0415 -- they need the models, which need this app

        events_recorded.connect(receivers.on_events, dispatch_uid="realtime.events")
        token_streamed.connect(receivers.on_tokens, dispatch_uid="realtime.tokens")
        progress_told.connect(receivers.on_progress, dispatch_uid="realtime.progress")
        metadata_set.connect(receivers.on_metadata, dispatch_uid="realtime.metadata")
        worker_process_shutdown.connect(receivers.on_worker_end, dispatch_uid="realtime.flush")
