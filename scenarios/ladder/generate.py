"""Write the wiring of every scenario's register: `NAME.queries.csv` beside each scenario. `--check` only compares.

The same goes into the family `ladder-agentic`, and the scenarios themselves, with nothing but another canary.

A register has two chains of ten names. In the first, the start of one context lies k references before the end; in
the second, at the same place, the start of the other context. docs/ladder.md tells what is balanced and why.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise, product
from pathlib import Path

HERE = Path(__file__).parent
TWIN = HERE.parent / "ladder-agentic"
"""The same scenarios and registers, read with tools."""
SEED = 20261121
RUNGS = (0, 1, 2, 3, 4, 6, 8)
LENGTH = 10
"""Names in a chain: one more than the deepest rung needs, so that no start is ever the first of its chain."""
NAMES = (
    *("Bavon", "Corim", "Dulek", "Fesal", "Gomar", "Hivet", "Jorab", "Kelun"),
    *("Lomis", "Mavud", "Nerit", "Pasug", "Rodel", "Sotim", "Tupan", "Vesko"),
    *("Wimor", "Yaflo", "Zorik", "Bekru", "Domfa", "Fanpe", "Gilto", "Husca"),
)
Chain = tuple[str, ...]


@dataclass(frozen=True)
class Roles:
    """What names do in all registers of one scenario."""

    starts: tuple[str, str]
    """Named in the conversation."""
    heads: tuple[str, str]
    """First in their chains: no entry refers to them."""
    strays: tuple[str, str]
    """In no entry: the placebo's."""
    others: tuple[str, ...]


def roles(position: int) -> Roles:
    """Of the scenario at this position: over twelve of them, every name is a start, a head and a stray once."""
    order = random.Random(f"{SEED} names").sample(NAMES, len(NAMES))

    def two(shift: int) -> tuple[str, str]:
        at = (2 * position + shift) % len(NAMES)
        return order[at], order[at + 1]

    starts, heads, strays, absent = two(0), two(8), two(14), two(20)
    used = {*starts, *heads, *strays, *absent}
    return Roles(starts, heads, strays, tuple(name for name in order if name not in used))


def chains(own: Roles, rung: int, rng: random.Random) -> tuple[Chain, Chain]:
    """The two chains, each from its first name to its end, the starts `rung` references before the ends."""
    others = iter(rng.sample(own.others, len(own.others)))
    heads = rng.sample(own.heads, 2)

    def chain(head: str, start: str) -> Chain:
        at = LENGTH - 1 - rung
        return (head, *(start if each == at else next(others) for each in range(1, LENGTH)))

    return chain(heads[0], own.starts[0]), chain(heads[1], own.starts[1])


def lines(pair: tuple[Chain, Chain], rung: int, in_order: bool, rng: random.Random) -> list[str]:
    """The order of the entries: one in which guessing by place is right in one context and wrong in the other."""
    names = [*pair[0], *pair[1]]
    while True:
        rng.shuffle(names)
        place = {name: at for at, name in enumerate(names)}
        if _guesses_fail(pair, rung, place) and (rung == 0 or _in_order(pair, rung, place) == in_order):
            return names


def _guesses_fail(pair: tuple[Chain, Chain], rung: int, place: dict[str, int]) -> bool:
    """At every step short of the end, both chains are nearer to one and the same end."""
    ends = [place[chain[-1]] for chain in pair]
    for at in range(LENGTH - 1 - rung, LENGTH - 1):
        nearer = [abs(place[chain[at]] - ends[0]) - abs(place[chain[at]] - ends[1]) for chain in pair]
        if nearer[0] * nearer[1] <= 0:
            return False
    return True


def _in_order(pair: tuple[Chain, Chain], rung: int, place: dict[str, int]) -> bool:
    """Whether the start that stands higher in the register has the end that stands higher."""
    one, other = pair
    return (place[one[-1 - rung]] < place[other[-1 - rung]]) == (place[one[-1]] < place[other[-1]])


def wiring(pair: tuple[Chain, Chain], order: Sequence[str]) -> str:
    """The entries in this order, 12 characters each."""
    refers = {name: other for chain in pair for name, other in pairwise(chain)}
    refers |= {pair[0][-1]: "end-a", pair[1][-1]: "end-b"}
    return " ".join(f"{name}>{refers[name]}" for name in order)


def canary(family: Path) -> str:
    """The family's: data carry it as everything does that is made of them."""
    first, *_ = (family / "family.yaml").read_text("utf-8").splitlines()
    return first.removeprefix("canary: ")


def row(position: int, name: str, mark: str) -> dict[str, str]:
    """The row of the scenario at this position, with this canary."""
    own = roles(position)
    found = {"id": "r1", "canary": mark, "start_a": own.starts[0], "start_b": own.starts[1]}
    found |= {"stray_a": own.strays[0], "stray_b": own.strays[1]}
    for index, rung in enumerate(RUNGS):
        rng = random.Random(f"{SEED} {name} {rung}")
        pair = chains(own, rung, rng)
        found[f"k{rung}"] = wiring(pair, lines(pair, rung, (position + index) % 2 == 0, rng))
    return found


def files() -> Iterator[tuple[Path, str]]:
    """Every file with what it has to say."""
    scenarios = [file for file in sorted(HERE.glob("*.yaml")) if file.name != "family.yaml"]
    for family, (position, file) in product((HERE, TWIN), enumerate(scenarios)):
        values = row(position, file.stem, canary(family))
        text = StringIO(newline="")
        writer = csv.DictWriter(text, values, lineterminator="\n")
        writer.writeheader()
        writer.writerow(values)
        yield family / f"{file.stem}.queries.csv", text.getvalue()
    for file in scenarios:
        yield TWIN / file.name, file.read_text("utf-8").replace(canary(HERE), canary(TWIN))


def main() -> int:
    """0 when every file is written or, with --check, current; 1 otherwise."""
    stale = [(file, text) for file, text in files() if not file.exists() or file.read_text("utf-8") != text]
    if "--check" in sys.argv[1:]:
        for file, _ in stale:
            print(f"not current: {file.name}; run: python {Path(__file__).name}", file=sys.stderr)
        return 1 if stale else 0
    for file, text in stale:
        file.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
