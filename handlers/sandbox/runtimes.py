"""Interpreters, and what each needs of the file system and the kernel."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from handlers.processes import Bounds

MB: Final = 1024**2
_HERE: Final = Path(__file__).parent
# Where Debian's Node.js has a part of itself.
_NODE_MODULES: Final = Path("/usr/share/nodejs")
_SYSTEM_PYTHON: Final = Path("/usr/bin/python3")
# What an interpreter takes before the program begins, as its limit counts it (measured, with a margin): address space
# of Python 3.11 with asyncio and ssl is 27 MB; private memory of Node.js 20 is 48 MB, and 32 MB are stacks of threads
# that it starts when files are read.
_PYTHON_OVERHEAD: Final = 48 * MB
_NODE_OVERHEAD: Final = 112 * MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """How a program of one language is run."""

    command: tuple[str, ...]
    files: tuple[Path, ...]  # which it reads, besides the system's libraries
    hidden: tuple[Path, ...] = ()  # directories in those that are none of its business
    environment: Mapping[str, str] = field(default_factory=dict)
    bounds: Bounds


def python(*, seconds: float, memory_mb: int) -> Runtime | None:
    """None where there is none."""
    found = _find_python()
    if found is None:
        return None
    return Runtime(
        command=(str(found.program), "-I", "-S", "-X", "utf8", "-c", _source("harness.py")),
        files=found.files,
        hidden=found.hidden,
        # glibc would reserve 64 MB of addresses for each thread.
        environment={"MALLOC_ARENA_MAX": "1", **found.environment},
        bounds=_bounds(seconds, threads=16, address_bytes=memory_mb * MB + _PYTHON_OVERHEAD),
    )


def javascript(*, seconds: float, memory_mb: int) -> Runtime | None:
    """None where there is none."""
    node = _find_node()
    if node is None:
        return None
    return Runtime(
        command=(str(node), f"--max-old-space-size={memory_mb}", "-e", _source("harness.js")),
        files=(node, _NODE_MODULES) if _NODE_MODULES.is_dir() else (node,),
        # V8 reserves gigabytes of addresses that it never uses: what can be written to is counted instead.
        bounds=_bounds(seconds, threads=32, data_bytes=memory_mb * MB + _NODE_OVERHEAD),
    )


def _bounds(seconds: float, *, threads: int, address_bytes: int | None = None, data_bytes: int | None = None) -> Bounds:
    return Bounds(
        seconds=seconds,
        cpu_seconds=seconds,
        address_bytes=address_bytes,
        data_bytes=data_bytes,
        file_bytes=16 * MB,
        open_files=128,
        processes=threads,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Python:
    program: Path
    files: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@cache
def _find_python() -> _Python | None:
    """The system's, whose files anybody may read; else the one that runs us, without what is installed into it."""
    if _SYSTEM_PYTHON.exists():
        return _Python(program=_SYSTEM_PYTHON.resolve(), files=(_SYSTEM_PYTHON.resolve(),))
    program = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    if not program.exists():
        return None
    libraries = Path(sys.base_prefix, "lib")
    installed = libraries / program.name / "site-packages"
    return _Python(
        program=program,
        files=(program, libraries),
        hidden=(installed,) if installed.is_dir() else (),
        # Found without the loader's cache, which lies in /etc.
        environment={"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR") or libraries)},
    )


@cache
def _find_node() -> Path | None:
    found = shutil.which("node", path=f"{os.defpath}:/usr/local/bin") or shutil.which("node")
    return None if found is None else Path(found).resolve()


@cache
def _source(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")
