"""The organisms behind wire formats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gyges.cli.app import app


@app.command()
def serve(
    scenarios: Annotated[
        list[str] | None, typer.Argument(help="Families or scenarios the organisms know; all if none is named.")
    ] = None,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="The root of the organisms' random effects and noise.")] = 1,
    witness: Annotated[Path | None, typer.Option(help="Log here what was received and fully sent.")] = None,
    key: Annotated[str | None, typer.Option(help="Accept this API key only.")] = None,
    faults: Annotated[
        Path | None, typer.Option(help="A schedule of faults, in YAML; see agents/README.md.")
    ] = None,
    batch_seconds: Annotated[float, typer.Option(help="After which a batch has ended.", min=0)] = 0.0,
    until_stdin_closes: Annotated[
        bool, typer.Option("--until-stdin-closes", help="End with whoever started it and holds its input open.")
    ] = False,
) -> None:
    """Serve the organisms over the OpenAI and Anthropic wire formats, on loopback."""
    import asyncio
    from contextlib import suppress

    from gyges.models.organism import read_organisms
    from gyges.models.organism_corpus import Corpus, knows
    from gyges.models.serve import serve as serve_organisms
    from gyges.scenarios.plan import Seed
    from gyges.scenarios.read import families, select

    known = [one for scenario in select(scenarios or families()) for one in knows(scenario)]
    root = Seed(seed)

    def ready(url: str) -> None:
        print(f"gyges serve {url}", flush=True)

    with suppress(KeyboardInterrupt):
        asyncio.run(
            serve_organisms(
                read_organisms(Corpus(known), root),
                host=host,
                port=port,
                seed=root,
                key=key,
                witness=witness,
                faults=faults,
                until_closed=until_stdin_closes,
                batch_seconds=batch_seconds,
                ready=ready,
            )
        )
