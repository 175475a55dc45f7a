from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError

from workflows.encryption import UnreadableSecrets
from workflows.stored_secrets import rotate_secrets


class Command(BaseCommand):
    help = "Encrypt every stored secret anew under SECRET_KEY, so that SECRET_KEY_FALLBACKS is no longer needed."

    def handle(self, **_options: Any) -> None:
        try:
            count = rotate_secrets()
        except UnreadableSecrets as error:
            raise CommandError(f"Nothing was changed. These secrets {error}.") from error
        self.stdout.write(f"Secrets encrypted under the present SECRET_KEY: {count}")
