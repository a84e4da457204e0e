"""What judging will take, before anybody is asked: calls, tokens and money. It asks nobody, and stores nothing.

Calls are counted as they will be made, from the very words that are sent; tokens are estimated from characters,
and money from tokens. The most is where every verdict has to be asked for twice and every answer takes all its
room. Calls that fail are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gyges.agents.profile import Profile
from gyges.batch.plan import money, thousands
from gyges.batch.prices import Price, price_of, read_prices
from gyges.batch.spending import CHARACTERS_A_TOKEN, TOKENS_AN_ANSWER, Expected
from gyges.errors import several
from gyges.grading.judge_put import Asking

ASKED = 2
"""How often a judge is asked about one part at most."""
SHORTEST_TOKEN = 2.0
"""Characters of a token, at least, on average: of prose and JSON in languages that are written in letters."""


@dataclass(frozen=True, slots=True)
class Paid:
    """Whom a vote is asked of: the price of the model, None where it is unknown, and an answer's most tokens."""

    price: Price | None
    most: int


@dataclass(frozen=True, slots=True)
class Cost:
    """What judging some episodes takes: as far as can be known, and at the most."""

    episodes: int = 0
    """About which somebody is asked."""
    expected: Expected = field(default_factory=Expected)
    most: Expected = field(default_factory=Expected)

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.episodes + other.episodes, self.expected + other.expected, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Costs:
    """Of everything, and without the organisms that the run added; `added` says whether there are any."""

    whole: Cost
    without: Cost
    added: bool


@dataclass(frozen=True, slots=True)
class Judgeable:
    """An episode to be judged: whether it is an added organism's, and what each judge is asked about it.

    `asking` takes whether it is one of those that are judged twice more.
    """

    id: str
    added: bool
    asking: Callable[[bool], Asking]


def paid(profiles: Sequence[Profile]) -> list[Paid]:
    """What judges take for a call. Raises AuthoringError for prices that can't be read."""
    prices = read_prices()
    return [Paid(price_of(one.model, prices), one.sampling.max_tokens) for one in profiles]


def expected_of(asking: Asking, judge: Paid) -> Expected:
    """What one judge is expected to take."""
    tokens, answers = asking.characters / CHARACTERS_A_TOKEN, asking.calls * min(TOKENS_AN_ANSWER, judge.most)
    return Expected(asking.calls, tokens, float(answers), _money(judge, tokens, answers))


def most_of(asking: Asking, judge: Paid) -> Expected:
    """What one judge takes at the most."""
    calls = ASKED * asking.calls
    tokens, answers = ASKED * asking.characters / SHORTEST_TOKEN, calls * judge.most
    return Expected(calls, tokens, float(answers), _money(judge, tokens, answers))


def _money(judge: Paid, tokens: float, answers: float) -> float | None:
    return judge.price.of(tokens, answers) if judge.price else None


def cost_of(asking: Asking, judges: Sequence[Paid]) -> Cost:
    """Of one episode, asked of every judge; nothing where nobody is asked."""
    if not asking.calls:
        return Cost()
    expected, most = ([of(asking, one) for one in judges] for of in (expected_of, most_of))
    return Cost(1, sum(expected, Expected()), sum(most, Expected()))


def costs(
    episodes: Iterable[Judgeable], judges: Sequence[Paid], again: Iterable[str], again_without: Iterable[str]
) -> Costs:
    """Of all episodes, and without those of added organisms. Each has a sample of its own that is judged again."""
    twice, alone = frozenset(again), frozenset(again_without)
    whole = without = Cost()
    added = False
    for one in episodes:
        own = {more: cost_of(one.asking(more), judges) for more in {one.id in twice, one.id in alone}}
        whole += own[one.id in twice]
        added = added or one.added
        if not one.added:
            without += own[one.id in alone]
    return Costs(whole, without, added)


def lines(found: Costs, organisms: bool = True) -> Iterator[str]:
    """In words: what will be asked, and what it would be the other way."""
    yield f"judging: {told(found.whole if organisms else found.without)}"
    if not found.added or not found.whole.episodes:
        return
    if organisms:
        yield f"  without the organisms that check the run (--no-organisms): {told(found.without)}"
    else:
        yield f"  with the organisms that check the run (--organisms): {told(found.whole)}"


def told(cost: Cost) -> str:
    """Calls, tokens and money, as they are expected and at the most."""
    if not cost.episodes:
        return "nobody has to be asked"
    much, most = cost.expected, cost.most
    dollars = money(much.cost) if not most.cost else f"{money(much.cost)}, ${most.cost:,.2f} at most"
    return (
        f"{several(much.calls, 'call')} about {several(cost.episodes, 'episode')} ({most.calls:,} calls at most), "
        f"about {thousands(much.input)} tokens in and {thousands(much.output)} out, {dollars}"
    )
