"""Whether what was started is at work."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Collection

from django.db.models.functions import Now

from executions.models import WorkerLease


def are_leased(pids: Collection[int]) -> bool:
    """Whether the workers of *pids* have reported for work."""
    here = WorkerLease.objects.filter(pid__in=pids, hostname=socket.gethostname(), expires_at__gt=Now())
    return here.count() == len(pids)


def answers(url: str, path: str = "/health/ready") -> bool:
    """Whether the server at *url* answers 200 there."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
