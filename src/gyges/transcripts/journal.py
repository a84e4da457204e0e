"""How a run's file is kept whole while it is written: a log beside it, or a journal. It knows no tables."""

from __future__ import annotations

import logging
import re
import sqlite3
from pathlib import Path

from gyges.errors import StoreError

NETWORK = frozenset({"cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gpfs", "fuse.sshfs"})
"""File systems, beside nfs, of which other machines may have the same file open."""

log = logging.getLogger("gyges.transcripts")


def keep(connection: sqlite3.Connection, path: Path) -> None:
    """A log beside the file, which many may read while one writes; over a network, where its readers can't share
    memory, a journal instead. Raises StoreError where there is neither."""
    over = network(path)
    if not over:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode == "wal":
            return
    (mode,) = connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()
    if mode != "truncate":
        raise StoreError(f"{path} can't be written safely here", "move the study to a local disk")
    log.warning(
        "%s lies %s: writing is slower there, and waits for whoever reads the run. A local disk is better",
        path,
        f"on a network file system ({over})" if over else "where SQLite can't keep its log",
    )


def has_log(connection: sqlite3.Connection) -> bool:
    """Whether what is written goes into a log beside the file, so that a commit need not wait for the disk."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    return str(mode) == "wal"


def network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of network file system that a path is on; "" for a local one, and where that can't be told."""
    try:
        table = [line.split() for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:
        return ""
    place, found = path.resolve(), (-1, "")
    for words in table:
        # Spaces in names are written as octal numbers.
        at = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), words[1]))
        if place == at or at in place.parents:
            found = max(found, (len(at.parts), words[2]), key=lambda one: one[0])
    kind = found[1]
    return kind if kind in NETWORK or kind.startswith("nfs") else ""
