from datetime import timedelta
from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_delete

from executions.limits import BadBounds, check_bounds
from handlers import llm, network, sandbox


class ExecutionsConfig(AppConfig):
    name = "executions"
    verbose_name = "Executions"

    def ready(self) -> None:
        from executions import faults, lifecycle, receivers  # noqa: PLC0415 -- they need the models

        # Long enough for the sweep to have given away what the process held.
        faults.arm(settings.FLOWMAESTRO_FAULTS, stall=settings.FLOWMAESTRO_LEASE + timedelta(seconds=2))
        lifecycle.connect()
        sandbox.allow(settings.FLOWMAESTRO_CODE)
        try:
            check_bounds(settings.FLOWMAESTRO_PROVIDER_LIMITS)
        except BadBounds as error:
            raise ImproperlyConfigured(f"FLOWMAESTRO_PROVIDER_LIMITS: {error}") from error
        if settings.FLOWMAESTRO_LLM_PRICES:
            try:
                llm.use_prices(table=Path(settings.FLOWMAESTRO_LLM_PRICES))
            except llm.BadPrices as error:
                raise ImproperlyConfigured(f"FLOWMAESTRO_LLM_PRICES: {error}") from error
        try:
            network.configure(
                allow=settings.FLOWMAESTRO_EGRESS_ALLOW, max_answer_bytes=settings.FLOWMAESTRO_MAX_ANSWER_BYTES
            )
        except ValueError as error:
            raise ImproperlyConfigured(f"FLOWMAESTRO_EGRESS_ALLOW: {error}") from error
        post_delete.connect(
            receivers.on_execution_deleted, sender="executions.Execution", dispatch_uid="executions.blobs"
        )
