from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from workflows.files.leftovers import remove_leftovers


class Command(BaseCommand):
    help = "Delete contents in the storage of files that belong to no file any more, and have for a day."

    def handle(self, **_options: Any) -> None:
        self.stdout.write(f"Contents of no file that were deleted: {remove_leftovers(now=timezone.now())}")
