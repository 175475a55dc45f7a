"""Django settings, grouped by subject. Every value that differs between sites is an environment variable.

Without DATABASE_URL and REDIS_URL the embedded servers of FLOWMAESTRO_HOME are meant (flowmaestro.embedded); their
addresses follow from the folder, so that this module needs no running server.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import dj_database_url

from flowmaestro import embedded
from flowmaestro.env import env, env_bool, env_int, env_list, env_object
from flowmaestro.worker import CONCURRENCY

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where things live -------------------------------------------------------------------------------------------
FLOWMAESTRO_HOME = Path(env("FLOWMAESTRO_HOME", ".flowmaestro")).resolve()
DATABASE_URL = env("DATABASE_URL")
REDIS_URL = env("REDIS_URL")
FLOWMAESTRO_EMBEDDED_POSTGRES = not DATABASE_URL
FLOWMAESTRO_EMBEDDED_REDIS = not REDIS_URL
DATABASE_URL = DATABASE_URL or embedded.database_url(FLOWMAESTRO_HOME)
REDIS_URL = REDIS_URL or embedded.redis_url(FLOWMAESTRO_HOME)

# --- Security ----------------------------------------------------------------------------------------------------
DEBUG = env_bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY") or embedded.secret_key(FLOWMAESTRO_HOME)
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # earlier ones: what they signed or encrypted is still read
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env_bool("SECURE_COOKIES", default=False)
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # bytes; the body limit of the API

# --- Applications ------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",  # first: it replaces runserver
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "workflows",
    "executions",
    "realtime",
    "flowmaestro",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "workflows.http.middleware.RequestIdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "flowmaestro.urls"
ASGI_APPLICATION = "flowmaestro.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
AUTH_USER_MODEL = "workflows.User"
LOGIN_URL = "/admin/login/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT") or None  # where collectstatic puts them, in an image
WHITENOISE_USE_FINDERS = not STATIC_ROOT  # a clone serves its static files as they lie

# --- Database ----------------------------------------------------------------------------------------------------
# Servers and workers share connections among their threads: getting one from the pool costs 15 µs, opening one 2.5 ms.
# A pool wants CONN_MAX_AGE = 0, which then means "give back", not "close".
DB_POOL_SIZE = env_int("FLOWMAESTRO_DB_POOL", 0)
# Seconds. By its own habit the pool lets the wait between two tries double: of a database that was away for a minute it
# would take no notice for another. It gives up at once instead, and whoever asks next makes it try.
DB_POOL = {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 5, "reconnect_timeout": 2}
DATABASES = {
    "default": {
        **dj_database_url.parse(DATABASE_URL),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            # Lets the hot path prepare its statements: planning them takes as long as running them. The ORM's are
            # bound by the client and never prepared. Behind a pooler that cannot keep them: 0.
            "prepare_threshold": 5 if env_bool("FLOWMAESTRO_PREPARE", default=True) else None,
            **({"pool": DB_POOL} if DB_POOL_SIZE else {}),
        },
    },
}

# --- Files -------------------------------------------------------------------------------------------------------
# Large outputs: every web and worker process must see the same ones. The files of the home are seen by the processes of
# one machine, and by containers that mount it; several machines need a shared folder, or an object storage.
BLOB_FILES = "workflows.durable_files.DurableFiles"
BLOB_STORAGE = env("FLOWMAESTRO_BLOB_STORAGE", BLOB_FILES)
BLOB_OPTIONS = {"location": str(FLOWMAESTRO_HOME / "blobs")} if BLOB_STORAGE == BLOB_FILES else {}
# What people upload, and workflows read and write: likewise.
FILE_STORAGE = env("FLOWMAESTRO_FILE_STORAGE", BLOB_FILES)
FILE_OPTIONS = {"location": str(FLOWMAESTRO_HOME / "files")} if FILE_STORAGE == BLOB_FILES else {}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "outputs": {"BACKEND": BLOB_STORAGE, "OPTIONS": BLOB_OPTIONS | env_object("FLOWMAESTRO_BLOB_OPTIONS")},
    "files": {"BACKEND": FILE_STORAGE, "OPTIONS": FILE_OPTIONS | env_object("FLOWMAESTRO_FILE_OPTIONS")},
}

FLOWMAESTRO_MAX_FILE_BYTES = env_int("FLOWMAESTRO_MAX_FILE_BYTES", 100 * 1024 * 1024)
FLOWMAESTRO_MAX_WORKSPACE_FILE_BYTES = env_int("FLOWMAESTRO_MAX_WORKSPACE_FILE_BYTES", 10 * 1024**3)  # 0: any number

# --- Redis and Celery --------------------------------------------------------------------------------------------
REDIS_PREFIX = env("FLOWMAESTRO_REDIS_PREFIX", "fm:")
CELERY_BROKER_URL = env("CELERY_BROKER_URL") or embedded.celery_url(REDIS_URL)
CELERY_RESULT_BACKEND = embedded.celery_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": REDIS_PREFIX,
    "visibility_timeout": 24 * 3600,  # seconds; nothing stays unacknowledged: tasks are acknowledged when they start
    # redis-py cuts every read after 5 s by default, a blocking one included.
    "socket_timeout": 30,
    "socket_keepalive": True,
    "health_check_interval": 25,
    # Of a connection to publish on: one try, where Kombu's own habit is six seconds of them. Who publishes holds a
    # run; the sweep sends again (`executions.dispatch`). Workers, who consume, go on trying by the settings below.
    "max_retries": 0,
}
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {
    "global_keyprefix": REDIS_PREFIX,
    # A chord is counted before it is published. Celery's own habit is twenty tries, a second apart, with the caller
    # waiting. Ours: a second one at once, for a connection that had died unnoticed.
    "retry_policy": {"max_retries": 1, "interval_start": 0},
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CONSUMER = "flowmaestro.consumer:Consumer"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# Early acknowledgement: the rows are the truth, leases and the sweep recover what a worker took with it.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_RESULT_EXPIRES = timedelta(days=1)  # longer than the longest chord; a lost one is found by the sweep anyway
CELERY_TASK_DEFAULT_QUEUE = "drive"
CELERY_TASK_CREATE_MISSING_QUEUES = True

# --- Engine ------------------------------------------------------------------------------------------------------
FLOWMAESTRO_NODE_HANDLERS = env_list("FLOWMAESTRO_NODE_HANDLERS")  # dotted paths of modules that register node types
# Where nodes may connect besides the public internet: networks, addresses, hosts, host:port (handlers.network.egress).
FLOWMAESTRO_EGRESS_ALLOW = env_list("FLOWMAESTRO_EGRESS_ALLOW")
FLOWMAESTRO_MAX_ANSWER_BYTES = env_int("FLOWMAESTRO_MAX_ANSWER_BYTES", 10 * 1024 * 1024, at_least=1024)
FLOWMAESTRO_LANES = env_list("FLOWMAESTRO_LANES", "drive,io,cpu")  # the lanes this process serves; others are sent on
FLOWMAESTRO_CONCURRENCY = env_int("FLOWMAESTRO_CONCURRENCY", CONCURRENCY, at_least=1)  # threads of a worker
FLOWMAESTRO_LEASE = timedelta(seconds=env_int("FLOWMAESTRO_LEASE_SECONDS", 15, at_least=1))
FLOWMAESTRO_DRAIN = timedelta(seconds=env_int("FLOWMAESTRO_DRAIN_SECONDS", 25, at_least=0))
FLOWMAESTRO_SWEEP = timedelta(milliseconds=env_int("FLOWMAESTRO_SWEEP_MS", 1000, at_least=50))
# A character has up to four bytes: what is not inline has more than `executions.frames.WIDEST` characters, and is in no
# frame, whether it is told when it happens or read back.
FLOWMAESTRO_MAX_INLINE_BYTES = env_int("FLOWMAESTRO_MAX_INLINE_BYTES", 256 * 1024, at_least=256 * 1024)
FLOWMAESTRO_MAX_OUTPUT_BYTES = env_int("FLOWMAESTRO_MAX_OUTPUT_BYTES", 64 * 1024 * 1024)
FLOWMAESTRO_CODE = env_bool("FLOWMAESTRO_CODE", default=False)  # whether code nodes run: programs of whoever draws one
# Of calls of a service, by all workers together: {"openai": {"at_once": 50, "per_minute": 600}}.
FLOWMAESTRO_PROVIDER_LIMITS = env_object("FLOWMAESTRO_PROVIDER_LIMITS")
FLOWMAESTRO_BREAKER_FAILURES = env_int("FLOWMAESTRO_BREAKER_FAILURES", 5)  # in a row; 0: no service is given a rest
FLOWMAESTRO_BREAKER_REST = timedelta(seconds=env_int("FLOWMAESTRO_BREAKER_SECONDS", 30, at_least=1))
FLOWMAESTRO_LLM_PRICES = env("FLOWMAESTRO_LLM_PRICES")  # a file; without one, handlers/llm/prices.json
FLOWMAESTRO_FAULTS = ""  # executions.faults: no variable of a site can arm one, those of the tests do

# --- API ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "workflows.http.auth.ApiKeyAuthentication",
        "workflows.http.auth.WorkspaceSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["workflows.http.permissions.HasScopes"],
    "DEFAULT_RENDERER_CLASSES": ["workflows.http.envelope.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["workflows.http.parsers.BodyParser"],
    "DEFAULT_PAGINATION_CLASS": "workflows.http.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "workflows.http.schema.EnvelopeSchema",
    "EXCEPTION_HANDLER": "flowmaestro.api.handle_error",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is nobody's business here
}
SPECTACULAR_SETTINGS = {
    "TITLE": "FlowMaestro",
    "DESCRIPTION": "Workflows that people draw, and their runs.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Logging -----------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Celery would write two lines a message; the runs tell their own story.
    # httpx2 would write every address in full, and with it what people put into a query.
    "loggers": {name: {"level": "WARNING"} for name in ("celery.worker.strategy", "celery.app.trace", "httpx2")},
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
}
