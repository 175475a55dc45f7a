"""HTTP and WebSocket entry."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowmaestro.settings")
http = get_asgi_application()

from realtime.routing import websocket_urlpatterns  # noqa: E402 -- consumers need the applications loaded

application = ProtocolTypeRouter({"http": http, "websocket": URLRouter(websocket_urlpatterns)})
