"""Probes. Live: this process answers. Ready: what it needs answers too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import redis
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from executions.models import WorkerLease
from handlers import JSONObject
from workflows.http.envelope import ErrorBody

logger = logging.getLogger(__name__)

_REDIS_PATIENCE: Final = 2.0  # seconds; a probe that hangs tells nothing


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    is_good: bool
    detail: str


class LiveSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="Always `live`.")


class FindingSerializer(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class ReadySerializer(serializers.Serializer[Any]):
    """What was looked at. Workers are told, not asked for: a server without any still takes runs."""

    status = serializers.CharField(help_text="Always `ready`; otherwise the answer is a 503.")
    checks = serializers.DictField(child=FindingSerializer())
    workers = serializers.IntegerField(help_text="Worker processes whose lease has not run out.")


class LiveView(APIView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(responses=LiveSerializer, operation_id="health_live", tags=["health"])
    def get(self, request: Request) -> Response:
        """Whether this process answers. Asks nobody else."""
        del request
        return Response({"status": "live"})


class ReadyView(APIView):
    authentication_classes = []
    permission_classes = []

    @extend_schema(
        responses={200: ReadySerializer, 503: OpenApiResponse(description="Something it needs does not answer.")},
        operation_id="health_ready",
        tags=["health"],
    )
    def get(self, request: Request) -> Response:
        """Whether this process can serve: database, migrations, Redis."""
        del request
        found = {name: check() for name, check in CHECKS.items()}
        checks: JSONObject = {
            name: {"ok": finding.is_good, "detail": finding.detail} for name, finding in found.items()
        }
        if all(finding.is_good for finding in found.values()):
            return Response({"status": "ready", "checks": checks, "workers": live_workers()})
        bad = ", ".join(name for name, finding in found.items() if not finding.is_good)
        body = ErrorBody(code="service_unavailable", message=f"Not ready: {bad}.", details={"checks": checks})
        return Response(body, status=status.HTTP_503_SERVICE_UNAVAILABLE)


def check_database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        return _bad("database", error)
    return Finding(is_good=True, detail="answers")


def check_migrations() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        return _bad("migrations", error)
    if missing:
        return Finding(is_good=False, detail=f"{len(missing)} to be applied: manage.py migrate")
    return Finding(is_good=True, detail="all applied")


def check_redis() -> Finding:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=_REDIS_PATIENCE, socket_timeout=_REDIS_PATIENCE
        ) as client:
            client.ping()
    except redis.RedisError as error:
        return _bad("redis", error)
    return Finding(is_good=True, detail="answers")


def live_workers() -> int:
    return WorkerLease.objects.filter(expires_at__gt=Now()).count()


CHECKS: Final[Mapping[str, Callable[[], Finding]]] = {
    "database": check_database,
    "migrations": check_migrations,
    "redis": check_redis,
}


def _bad(name: str, error: Exception) -> Finding:
    # The sentence goes to the log only: it may name hosts and users, and a probe is open to all.
    logger.warning("not ready, %s: %s", name, error)
    return Finding(is_good=False, detail="does not answer")
