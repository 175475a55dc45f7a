"""The stack of this machine, as the commands that talk to it have it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError

from flowmaestro.bootstrap import api_key_path
from flowmaestro.embedded.secret_files import read_secret
from flowmaestro.supervisor import read
from flowmaestro.terminal import Client


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    url: str
    key_path: Path
    client: Client


def here() -> Here:
    """Raises CommandError when nothing is up."""
    state = read(settings.FLOWMAESTRO_HOME)
    if state is None or not state.is_ready:
        raise CommandError("FlowMaestro is not up. Start it with: flowmaestro up")
    key_path = api_key_path(settings.FLOWMAESTRO_HOME)
    return Here(url=state.url, key_path=key_path, client=Client(state.url, read_secret(key_path)))
