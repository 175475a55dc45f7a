"""ASSEMBLY: settings, the Celery app, ASGI, urls, the error table, the command line and embedded services.

Imports every other package; none imports it.
"""

from flowmaestro.celery import app as celery_app

__all__ = ["celery_app"]
