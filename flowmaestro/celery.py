"""The Celery app. Celery carries messages that hold ids; every decision is taken from rows."""

from __future__ import annotations

import os

from celery import Celery
from celery.fixups.django import DjangoFixup, DjangoWorkerFixup


class WorkerFixup(DjangoWorkerFixup):
    """Celery's own care for Django, without its habit of closing every connection before and after every task.

    Opening one costs more than most tasks do. A broken one is dropped, a pooled one given back, as Django does it
    around requests.
    """

    def _close_database(self) -> None:
        for connection in self._db.connections.all(initialized_only=True):
            if not connection.in_atomic_block:
                connection.close_if_unusable_or_obsolete()


class Fixup(DjangoFixup):
    def __init__(self, app: Celery) -> None:
        super().__init__(app)
        self._ours: WorkerFixup | None = None

    @property
    def worker_fixup(self) -> WorkerFixup:
        if self._ours is None:
            self._ours = WorkerFixup(self.app)
        return self._ours


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowmaestro.settings")

app = Celery("flowmaestro", fixups=[])
app.config_from_object("django.conf:settings", namespace="CELERY")
Fixup(app).install()
app.autodiscover_tasks(["executions"])
