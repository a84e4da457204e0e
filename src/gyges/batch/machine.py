"""Is this machine ready for a run? It looks, changes nothing, and never shows a secret."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from gyges.batch.order import PACKAGES
from gyges.models.registry import SERVICES

Verdict = Literal["ok", "warning", "bad"]
PYTHON = (3, 11)
SQLITE = (3, 51, 3)
"""From here on two connections can't lose a write-ahead log between them; before, one writer keeps it safe."""
ROOM = 2 * 1024**3
FILES = 1024
EARLIEST = 1_735_689_600
"""2025-01-01: a clock before it is wrong."""


@dataclass(frozen=True, slots=True)
class Checkup:
    """One thing looked at. `bad` would stop a run; a `warning` may trouble it."""

    name: str
    verdict: Verdict
    text: str


def checkups(folder: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Checkup]:
    """Everything that a run needs of this machine; `folder` is where transcripts are kept."""
    yield _python()
    yield _packages()
    yield _sqlite()
    yield _disk(folder)
    yield _files()
    yield _clock()
    yield from _providers(environment)
    yield from _proxies(environment)


def _python() -> Checkup:
    good = sys.version_info >= PYTHON
    return Checkup(
        "Python", "ok" if good else "bad", f"{sys.version.split()[0]}, {'.'.join(map(str, PYTHON))} needed"
    )


def _packages() -> Checkup:
    found: dict[str, str] = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            return Checkup("packages", "bad", f"{package} is not installed: install gyges again")
    return Checkup("packages", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))


def _sqlite() -> Checkup:
    try:
        sqlite3.connect(":memory:").execute("CREATE VIRTUAL TABLE t USING fts5(x)")
    except sqlite3.OperationalError:
        return Checkup("SQLite", "bad", f"{sqlite3.sqlite_version} without FTS5, which search needs")
    if sqlite3.sqlite_version_info < SQLITE:
        text = f"{sqlite3.sqlite_version}, before 3.51.3: let nothing but gyges write to a run's file"
        return Checkup("SQLite", "warning", text)
    return Checkup("SQLite", "ok", sqlite3.sqlite_version)


def _disk(folder: Path) -> Checkup:
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        return Checkup("disk", "bad", f"{there} can't be written to")
    room = f"{free / 1024**3:.1f} GiB free in {there}"
    return Checkup("disk", "ok" if free >= ROOM else "warning", room)


def _files() -> Checkup:
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return Checkup("open files", "ok", "no limit known")
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft == resource.RLIM_INFINITY or soft >= FILES
    text = "unlimited" if soft == resource.RLIM_INFINITY else f"at most {soft}"
    return Checkup(
        "open files", "ok" if enough else "warning", text if enough else f"{text}: try `ulimit -n {FILES}`"
    )


def _clock() -> Checkup:
    now = time.time()
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    return Checkup("clock", "ok" if now > EARLIEST else "bad", text)


def _providers(environment: Mapping[str, str]) -> Iterator[Checkup]:
    for name, service in SERVICES.items():
        key, address = environment.get(service.key_name, ""), environment.get(service.base_url_name, "")
        if not key and not address:
            continue
        said = f"{service.key_name} is {'set' if key else 'not set'}"
        said += f", {service.base_url_name} names {_host(address)}" if address else ""
        odd = key != key.strip() or (service.needs_key and not key)
        said += "; it begins or ends with a blank" if key != key.strip() else ""
        yield Checkup(name, "warning" if odd else "ok", said)
    if not any(environment.get(service.key_name) for service in SERVICES.values()):
        yield Checkup(
            "keys", "warning", "no provider's key is set: only organisms and local servers can be played"
        )


def _proxies(environment: Mapping[str, str]) -> Iterator[Checkup]:
    names = [name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if environment.get(name)]
    if names:
        yield Checkup("proxy", "ok", f"{', '.join(names)} is used for providers, never for loopback")


def _host(address: str) -> str:
    """The host alone: an address may hold a password."""
    try:
        return urlsplit(address).hostname or "no host"
    except ValueError:
        return "no host"
