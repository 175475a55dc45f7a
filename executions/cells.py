"""How statuses, moments and runs look in the tables of the admin."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def badge(status: str) -> SafeString:
    return format_html('<span class="run-status run-{0}">{0}</span>', status)


def run_link(execution_id: UUID) -> SafeString:
    address = reverse("admin:executions_execution_change", args=[execution_id])
    return format_html('<a href="{}">{}</a>', address, execution_id)


def moment(at: datetime | None) -> str:
    """To the second: Django's own format stops at minutes, which is an age in the life of a run."""
    return "—" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def duration(began: datetime | None, ended: datetime | None) -> str:
    return "—" if began is None or ended is None else f"{(ended - began).total_seconds():.3f} s"
