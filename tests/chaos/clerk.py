"""A process that answers whatever runs ask: `python -m tests.chaos.clerk`.

A client, and no thread of ours, so that it can be killed in the middle of an answer.
"""

from __future__ import annotations

import logging
import time
from typing import Final

import django

django.setup()

import django.db
import psycopg
from django.db import connection

from tests.chaos.answers import answer_all

logger = logging.getLogger(__name__)

_EVERY: Final = 0.05  # seconds


def main() -> None:
    while True:
        try:
            answer_all()
        except (django.db.Error, psycopg.Error) as error:
            logger.warning("nobody takes answers: %s", error)
            connection.close()
        time.sleep(_EVERY)


if __name__ == "__main__":
    main()
