"""Servers that come with us: PostgreSQL 18 and Redis from wheels, so that a clone runs the same real parts as a site.

The addresses follow from the home folder alone; nothing here is needed when DATABASE_URL and REDIS_URL are set.
"""

from flowmaestro.embedded.addresses import celery_url, database_url, redis_url, socket_dir
from flowmaestro.embedded.secret_files import secret_key

__all__ = ["celery_url", "database_url", "redis_url", "secret_key", "socket_dir"]
