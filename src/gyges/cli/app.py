"""The application, the options that verbs share, and where every error ends. It knows no verb.

Standard output is for results, standard error for progress. What is heavy is imported by the verb that needs it,
so that `gyges --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from gyges.errors import GygesError

app = typer.Typer(
    help="Does a model act the same when it believes that nobody who could change it is looking?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Run = Annotated[
    str, typer.Argument(help="A run: its name or its beginning, its file, or `latest`: the one played last.")
]

Scenarios = Annotated[list[str], typer.Argument(help="Families or scenarios.")]
Agents = Annotated[list[str], typer.Option("--agent", help="A profile or provider/model; may be repeated.")]
Samples = Annotated[int, typer.Option(help="Episodes of each plan.")]
BaseUrl = Annotated[str | None, typer.Option(help="The address of a compatible server.")]
Controls = Annotated[
    list[str] | None, typer.Option("--control", help="Play a control arm too: null, placebo, swap.")
]
Looks = Annotated[int, typer.Option(help="How often you will look at the growing run.", min=1, max=20)]
Organisms = Annotated[
    bool,
    typer.Option(
        "--organisms/--no-organisms",
        help="Play organisms with known gaps beside real agents, to see that the run would have shown one.",
    ),
]
Batch = Annotated[
    bool, typer.Option("--batch", help="Hand calls in as the provider's batches; `gyges resume` fetches them.")
]
MaxConnections = Annotated[int, typer.Option(help="Calls in flight at the most; fewer while a provider says 429.")]
Processes = Annotated[
    int, typer.Option(min=1, help="That play episodes. One keeps a core busy at some hundred calls a second.")
]
RequestsPerMinute = Annotated[float | None, typer.Option(min=0.001, help="Of each model, at the most.")]
TokensPerMinute = Annotated[float | None, typer.Option(min=1, help="Of each model, at the most.")]
CallBudget = Annotated[int | None, typer.Option(min=0, help="Begin no pair that would take more calls than this.")]
TokenBudget = Annotated[int | None, typer.Option(min=0, help="The same for tokens, sent and received.")]
CostBudget = Annotated[float | None, typer.Option(min=0, help="The same for US dollars, by the prices you give.")]
FailOnError = Annotated[
    float, typer.Option(min=0, help="Exit with 1 above this share (from 1 on: number) of errors of an agent.")
]


def main() -> None:
    """Run the command line; every error of the program ends here as one message and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that can't show a character must not end a night's run.
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except GygesError as error:
        if os.environ.get("GYGES_DEBUG"):
            raise
        sys.stdout.flush()
        print(f"gyges: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # The reader of our output (`| head`) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
