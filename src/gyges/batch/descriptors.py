"""How many calls at once this process may have connections for. It opens none."""

from __future__ import annotations

import sys

SPARE = 100
"""Files that are open beside the connections: the run, its log, pipes, what is imported meanwhile."""
FEWEST = 1


def within(connections: int, soft: int, hard: int) -> tuple[int, int | None]:
    """So many connections as there may be, and the soft limit to ask for: None where it will do. -1: no limit."""
    needed = connections + SPARE
    if soft < 0 or needed <= soft:
        return connections, None
    most = needed if hard < 0 else min(needed, hard)
    return max(FEWEST, most - SPARE), most if most > soft else None


def bearable(connections: int) -> int:
    """At most so many as this process may open, after asking for as many as it may have."""
    if sys.platform == "win32":
        return connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed, wanted = within(connections, soft, hard)
    if wanted is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return allowed
