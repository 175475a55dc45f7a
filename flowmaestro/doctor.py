"""What `flowmaestro doctor` looks at: every service and setting, or runs, each with how to mend it.

A check is a function that yields findings; one that cannot go on raises nothing and says so. The embedded servers are
started for the time of the examination when nobody else has.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from time import sleep
from typing import Final
from uuid import UUID, uuid4

import redis
from django.conf import settings
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import DatabaseError, connection

from executions import blobs
from executions.core import BlobError
from executions.invariants import check_runs, recovers_for
from executions.models import Execution
from flowmaestro.bootstrap import api_key_path, password_path
from flowmaestro.embedded import services
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import homes_of_public_data, named_data
from flowmaestro.health import check_migrations, live_workers
from flowmaestro.supervisor import read
from flowmaestro.supervisor.health import answers
from handlers import ocr, sandbox
from handlers.browser import find_missing
from workflows.encryption import UnreadableSecrets
from workflows.files import contents
from workflows.files.errors import FilesAway
from workflows.stored_secrets import examine_secrets

OLDEST_POSTGRES: Final = 140000  # as server_version_num; what Django 5.2 supports
OLDEST_REDIS: Final = (6, 2)  # what Celery 5.7 supports
MOST_RUNS: Final = 10_000  # that are looked at one by one, and as many again of those that are over
ENDED_WITHIN: Final = timedelta(days=1)
LEAST_FREE_BYTES: Final = 1024**3  # for the servers of a home: a day of a busy development machine


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # it runs, not as it should
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    level: Level
    subject: str
    told: str
    mend: str = ""


def examine(home: Path) -> Iterator[Finding]:
    """Every finding, as soon as it is there."""
    yield from _python()
    yield from _home(home)
    yield from _settings()
    yield from _blobs()
    yield from _files()
    try:
        with _servers(home):
            yield from _database()
            yield from _stored_secrets()
            yield from _redis()
            yield from _stack(home)
            connection.close()
    except EmbeddedError as error:
        yield _servers_fail(error)
    yield from _model()
    yield from _code()
    yield from _programs()
    yield from _orphans()


def examine_runs(home: Path, runs: Collection[UUID] | None = None) -> Iterator[Finding]:
    """What is wrong with *runs*; None: with those that live, and those that ended within the last day."""
    try:
        with _servers(home):
            yield from _runs(runs)
            connection.close()
    except EmbeddedError as error:
        yield _servers_fail(error)


def _servers(home: Path) -> services.Services:
    return services.start(
        home, with_postgres=settings.FLOWMAESTRO_EMBEDDED_POSTGRES, with_redis=settings.FLOWMAESTRO_EMBEDDED_REDIS
    )


def _servers_fail(error: EmbeddedError) -> Finding:
    return Finding(
        level=Level.FAIL, subject="embedded servers", told=str(error), mend="Or set DATABASE_URL and REDIS_URL."
    )


def _runs(runs: Collection[UUID] | None) -> Iterator[Finding]:
    try:
        if left := recovers_for():
            told = f"workers have just begun, and mend what they find: {left.total_seconds():.0f} s to wait"
            yield Finding(level=Level.OK, subject="runs", told=told)
            sleep(left.total_seconds())
        stored = set() if runs is None else set(Execution.objects.filter(pk__in=runs).values_list("pk", flat=True))
        examined = check_runs(limit=MOST_RUNS, execution_ids=runs, ended_within=ENDED_WITHIN)
    except DatabaseError as error:
        mend = "Look at DATABASE_URL, and apply the migrations: `flowmaestro migrate`."
        yield Finding(level=Level.FAIL, subject="PostgreSQL", told=str(error).strip(), mend=mend)
        return
    for run in runs or ():
        if run not in stored:
            yield Finding(level=Level.FAIL, subject=f"run {run}", told="There is none.")
    for code, group in groupby(sorted(examined.findings, key=lambda found: found.code), key=lambda found: found.code):
        findings = list(group)
        for found in findings:
            node = "" if found.where is None else f", node {found.where}"
            mend = found.mend if found is findings[-1] else ""
            yield Finding(
                level=Level.FAIL, subject=code, told=f"run {found.execution_id}{node}: {found.wrong}", mend=mend
            )
    if not examined.findings:
        yield Finding(level=Level.OK, subject="runs", told=f"{examined.runs} looked at, and all is as it should be")
    else:
        told = f"{examined.runs} looked at, and {len(examined.findings)} times something is wrong"
        yield Finding(level=Level.FAIL, subject="runs", told=told)


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(level=Level.OK, subject="Python", told=version)


def _home(home: Path) -> Iterator[Finding]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(home).free
    except OSError as error:
        yield Finding(level=Level.FAIL, subject="home", told=f"{home}: {error.strerror}", mend="Set FLOWMAESTRO_HOME.")
        return
    if not os.access(home, os.W_OK):
        yield Finding(
            level=Level.FAIL, subject="home", told=f"{home} is not ours to write.", mend="Set FLOWMAESTRO_HOME."
        )
    elif free < LEAST_FREE_BYTES:
        told = f"{home} has {free // 1024**2} MB left."
        yield Finding(level=Level.WARN, subject="home", told=told, mend="Make room: PostgreSQL stops when it is full.")
    else:
        yield Finding(level=Level.OK, subject="home", told=f"{home}, {free // 1024**3} GB free")
    for path in (home / "secret-key", api_key_path(home), password_path(home)):
        if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Finding(
                level=Level.FAIL, subject="secrets", told=f"{path} can be read by others.", mend=f"chmod 600 {path}"
            )


def _settings() -> Iterator[Finding]:
    found = checks.run_checks()
    for message in found:
        level = Level.FAIL if message.is_serious() else Level.WARN
        yield Finding(level=level, subject=f"check {message.id}", told=message.msg, mend=message.hint or "")
    if settings.DEBUG:
        yield Finding(
            level=Level.WARN, subject="DEBUG", told="is on.", mend="Unset it where others can reach the port."
        )
    if not found:
        yield Finding(level=Level.OK, subject="settings", told="pass their checks")


def _blobs() -> Iterator[Finding]:
    """As a worker uses it: a blob is stored, read and deleted."""
    backend, nobody, probe = type(storages["outputs"]).__name__, UUID(int=0), uuid4()
    try:
        blobs.get(blobs.put("a probe of the doctor", workspace_id=nobody, execution_id=probe))
        blobs.delete_of(nobody, probe)
    except BlobError as error:
        mend = "Look at FLOWMAESTRO_BLOB_STORAGE and FLOWMAESTRO_BLOB_OPTIONS; nodes with large outputs wait meanwhile."
        yield Finding(level=Level.FAIL, subject="large outputs", told=f"{backend}: {error}", mend=mend)
    else:
        yield Finding(level=Level.OK, subject="large outputs", told=f"{backend} stores and finds them")


def _files() -> Iterator[Finding]:
    """As a worker uses them: a content is stored, read and deleted."""
    backend = type(storages["files"]).__name__
    try:
        stored = contents.put(ContentFile(b"a probe of the doctor"), workspace_id=UUID(int=0))
        contents.get(stored.key)
        contents.discard(stored.key)
    except FilesAway as error:
        mend = "Look at FLOWMAESTRO_FILE_STORAGE and FLOWMAESTRO_FILE_OPTIONS; nodes that use files fail meanwhile."
        yield Finding(level=Level.FAIL, subject="files", told=f"{backend}: {error}", mend=mend)
    else:
        yield Finding(level=Level.OK, subject="files", told=f"{backend} stores and finds them")


def _programs() -> Iterator[Finding]:
    """Of others, which some types of nodes run where they are installed."""
    missing = {"ocrExtraction": None if shutil.which(ocr.PROGRAM) else "tesseract", "screenshotCapture": find_missing()}
    for node_type, program in missing.items():
        told = "has its program" if program is None else f"{program} is not installed: nodes of this type are refused"
        yield Finding(level=Level.OK, subject=node_type, told=told)


def _database() -> Iterator[Finding]:
    where = "embedded" if settings.FLOWMAESTRO_EMBEDDED_POSTGRES else "DATABASE_URL"
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
            number, version = cursor.fetchone()
    except DatabaseError as error:
        yield Finding(
            level=Level.FAIL, subject="PostgreSQL", told=f"{where}: {error}".strip(), mend="Look at DATABASE_URL."
        )
        return
    if number < OLDEST_POSTGRES:
        yield Finding(level=Level.FAIL, subject="PostgreSQL", told=f"{version} is too old.", mend="Use 14 or newer.")
    else:
        yield Finding(level=Level.OK, subject="PostgreSQL", told=f"{version}, {where}")
    migrations = check_migrations()
    if migrations.is_good:
        yield Finding(level=Level.OK, subject="migrations", told=migrations.detail)
    else:
        told, mend = migrations.detail, "`flowmaestro up` applies them, `flowmaestro migrate` does it now."
        yield Finding(level=Level.WARN, subject="migrations", told=told, mend=mend)


def _stored_secrets() -> Iterator[Finding]:
    try:
        count = examine_secrets()
    except UnreadableSecrets as error:
        told = f"{len(error.names)} cannot be decrypted: {', '.join(error.names)}"
        mend = "Put the SECRET_KEY that they were stored under into SECRET_KEY_FALLBACKS, or set these secrets again."
        yield Finding(level=Level.FAIL, subject="stored secrets", told=told, mend=mend)
    except DatabaseError:
        return  # away, or without its tables: that is said already
    else:
        yield Finding(level=Level.OK, subject="stored secrets", told=f"{count}, and all can be decrypted")


def _redis() -> Iterator[Finding]:
    where = "embedded" if settings.FLOWMAESTRO_EMBEDDED_REDIS else "REDIS_URL"
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, decode_responses=True) as client:
            about = client.info()
    except redis.RedisError as error:
        yield Finding(level=Level.FAIL, subject="Redis", told=f"{where}: {error}", mend="Look at REDIS_URL.")
        return
    version = about["redis_version"]
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        yield Finding(level=Level.FAIL, subject="Redis", told=f"{version} is too old.", mend="Use 6.2 or newer.")
    else:
        yield Finding(level=Level.OK, subject="Redis", told=f"{version}, {where}")
    if about.get("maxmemory_policy", "noeviction") != "noeviction":
        yield Finding(
            level=Level.WARN,
            subject="Redis",
            told=f"throws messages away when it is full (maxmemory-policy {about['maxmemory_policy']}).",
            mend="Set maxmemory-policy noeviction: runs would go on, but late, when the sweep finds them.",
        )


def _stack(home: Path) -> Iterator[Finding]:
    state = read(home)
    if state is None:
        yield Finding(level=Level.OK, subject="stack", told="not up; `flowmaestro up` starts it")
        return
    if not answers(state.url):
        mend = f"Look at {home / 'logs' / 'web.log'}."
        yield Finding(level=Level.FAIL, subject="web", told=f"{state.url} is not ready.", mend=mend)
    else:
        yield Finding(level=Level.OK, subject="web", told=state.url)
    count = live_workers()
    if count == 0:
        mend = f"Look at {home / 'logs' / 'worker-1.log'}."
        yield Finding(level=Level.FAIL, subject="workers", told="none has reported for work.", mend=mend)
    else:
        yield Finding(level=Level.OK, subject="workers", told=f"{count} at work")


def _model() -> Iterator[Finding]:
    if os.environ.get("OPENAI_API_KEY"):
        where = os.environ.get("OPENAI_BASE_URL", "OpenAI")
        yield Finding(level=Level.OK, subject="language model", told=f"OPENAI_API_KEY is set, for {where}")
    else:
        yield Finding(
            level=Level.WARN,
            subject="language model",
            told="OPENAI_API_KEY is not set: nodes of type llm fail, except in the demo, which has a stand-in.",
            mend="Set it, and OPENAI_BASE_URL for a service other than OpenAI's, before `flowmaestro up`.",
        )


def _code() -> Iterator[Finding]:
    """Nodes of type code, where the site has them."""
    if not settings.FLOWMAESTRO_CODE:
        yield Finding(level=Level.OK, subject="code", told="switched off: nodes of type code are refused")
        return
    faults = {language: sandbox.find_fault(language) for language in sandbox.LANGUAGES}
    for language, fault in faults.items():
        if fault is not None:
            mend = "Install bubblewrap, python3 and nodejs, and let users make namespaces; or unset FLOWMAESTRO_CODE."
            yield Finding(level=Level.WARN, subject="code", told=f"{language}: {fault}", mend=mend)
    if runs := [language for language, fault in faults.items() if fault is None]:
        yield Finding(level=Level.OK, subject="code", told=f"runs in its sandbox: {', '.join(runs)}")


def _orphans() -> Iterator[Finding]:
    """As root, data lies outside the homes; that of a removed home is left to a person to remove."""
    if os.getuid() != 0:
        return
    for folder, home in homes_of_public_data():
        if named_data(home).parent != folder:
            told = f"{folder} belonged to {home}, which does not link to it any more."
            mend = f"Unless that home was moved: rm -r {folder}"
            yield Finding(level=Level.WARN, subject="left-over data", told=told, mend=mend)
