from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand

from flowmaestro.bootstrap import ADMIN, api_key_path, bootstrap, migrate, password_path


class Command(BaseCommand):
    help = "Migrate the database of DATABASE_URL and make an administrator, a workspace and an API key where missing."

    def handle(self, **_options: Any) -> None:
        home = settings.FLOWMAESTRO_HOME
        home.mkdir(parents=True, exist_ok=True)
        migrate()
        bootstrap(home)
        self.stdout.write(f"Ready. API key: {api_key_path(home)}. Password of {ADMIN}: {password_path(home)}.")
