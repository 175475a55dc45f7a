from __future__ import annotations

from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.urls import re_path

from realtime.consumers import ExecutionConsumer, WorkspaceConsumer
from realtime.core import Close


class BrowserOriginValidator(OriginValidator):  # type: ignore[misc]  # channels is untyped
    """A page of another site may not open our sockets. Programs, which send no Origin, may: their ticket decides."""

    def __init__(self, application: Any) -> None:
        super().__init__(application, [])

    def valid_origin(self, parsed_origin: Any) -> bool:
        # Read when asked, as Django reads it; in development, as Django, local hosts when none is named.
        local = ["localhost", ".localhost", "127.0.0.1", "[::1]"] if settings.DEBUG else []
        self.allowed_origins = settings.ALLOWED_HOSTS or local
        return parsed_origin is None or bool(self.validate_origin(parsed_origin))


class UnknownPath(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels is untyped
    """A socket that leads nowhere says so, where the router alone would fail."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(int(Close.UNKNOWN_RUN))


websocket_urlpatterns = [
    re_path(r"^ws/executions/(?P<named>[^/]+)/$", BrowserOriginValidator(ExecutionConsumer.as_asgi())),
    re_path(r"^ws/workspaces/(?P<named>[^/]+)/$", BrowserOriginValidator(WorkspaceConsumer.as_asgi())),
    re_path(r"", UnknownPath.as_asgi()),
]
