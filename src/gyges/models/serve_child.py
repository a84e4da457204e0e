"""The organisms' server in a process of its own, which ends with the process that started it.

`gyges serve` and a run against organisms both come here. It knows no wire format.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from gyges.errors import GygesError
from gyges.models.organism import read_organisms
from gyges.models.organism_corpus import Corpus
from gyges.models.serve import serve
from gyges.scenarios.plan import Seed
from gyges.scenarios.read import families, select

READY = "gyges serve "
"""The one line on standard output begins with it; the address follows."""
_PATIENCE = 10.0
"""Seconds to end in, before the child is killed."""


class Served(BaseModel):
    """What to serve and where. `scenarios` are names for `select()`; without any, all families are known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scenarios: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    key: str | None = None
    witness: Path | None = None
    faults: Path | None = None


async def run(served: Served) -> None:
    """Serve until cancelled; print the address when ready. Raises UsageError and AuthoringError."""
    seed = Seed(served.seed)
    corpus = Corpus.of(select(served.scenarios or families()))
    await serve(
        read_organisms(corpus, seed),
        host=served.host,
        port=served.port,
        seed=seed,
        key=served.key,
        witness=served.witness,
        faults=served.faults,
        ready=lambda address: print(READY + address, flush=True),
    )


@contextmanager
def child(served: Served) -> Iterator[str]:
    """A child process that serves: gives its address and ends it afterwards.

    Raises GygesError if it won't start; what it has to say stands on standard error.
    """
    command = [sys.executable, "-m", "gyges.models.serve_child", served.model_dump_json()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline().decode()
            if not line.startswith(READY):
                raise GygesError("the organisms' server did not start", "what it said stands above")
            yield line.removeprefix(READY).strip()
        finally:
            process.stdin.close()  # the child's sign to end
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


async def _while_parent_lives(served: Served) -> None:
    serving = asyncio.ensure_future(run(served))
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 1024) or serving.cancel())
    with suppress(asyncio.CancelledError):
        await serving


def main() -> int:
    """Serve what the first argument says (JSON) until standard input ends."""
    try:
        asyncio.run(_while_parent_lives(Served.model_validate_json(sys.argv[1])))
    except GygesError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
