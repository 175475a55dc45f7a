"""The `flowmaestro` command: Django's command line with our settings, and every command in either spelling."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowmaestro.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
