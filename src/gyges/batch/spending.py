"""What a run uses: calls, tokens, money; what it may use, and what its episodes are expected to. It sends nothing.

A budget is checked before a pair is begun, together with what is expected of all that is under way, and
a pair that was begun is finished: half a pair is worth nothing and costs as much as half a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gyges.batch.prices import Price
from gyges.models.provider import Usage
from gyges.scenarios.plan import Plan

CHARACTERS_A_TOKEN = 4.0
"""Of English prose, roughly. Used only until the provider has counted."""
ROUNDS = 5
"""How often an agent with tools is taken to be asked in a turn before any episode has shown it."""
TOKENS_AN_ANSWER = 500
"""What an answer is taken to be long before any is known."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What something will use: estimated, but for the calls of a plan, which has so many turns."""

    calls: int = 0
    input: float = 0.0
    output: float = 0.0
    cost: float | None = 0.0
    """US dollars; None is unknown."""

    @property
    def tokens(self) -> float:
        return self.input + self.output

    def __add__(self, other: Expected) -> Expected:
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Expected(self.calls + other.calls, self.input + other.input, self.output + other.output, cost)


def expected(
    plan: Plan,
    price: Price | None,
    instructions: str = "",
    most: int = TOKENS_AN_ANSWER,
    rounds: int = 1,
) -> Expected:
    """Of one episode of a plan: every turn is asked `rounds` times, with all that was said before it."""
    answer = min(most, TOKENS_AN_ANSWER)
    said = (len(plan.system.text) + len(instructions)) / CHARACTERS_A_TOKEN
    asked = 0.0
    for turn in plan.turns:
        said += len(turn.text) / CHARACTERS_A_TOKEN
        for _ in range(rounds):
            asked += said
            said += answer
    calls = len(plan.turns) * rounds
    output = float(calls * answer)
    return Expected(calls, asked, output, price.of(asked, output) if price else None)


class Spending:
    """What one agent's calls have used since the command began."""

    def __init__(self, price: Price | None = None) -> None:
        self.price = price
        self.answers = 0
        self.failures = 0
        """Attempts that brought no answer; some of them may have been billed."""
        self.input = 0
        self.output = 0
        self.longest = 0
        """Calls of the longest episode so far."""
        self.uncounted = 0
        """Answers of which the provider did not say how many tokens they took."""

    def answered(self, usage: Usage) -> None:
        self.answers += 1
        if usage.input is None or usage.output is None:
            self.uncounted += 1
        self.input += usage.input or 0
        self.output += usage.output or 0

    def failed(self) -> None:
        self.failures += 1

    @property
    def cost(self) -> float | None:
        """US dollars; None where a price or a count is not known."""
        if self.price is None or (self.uncounted and self.price != Price(0.0, 0.0)):
            return None
        return self.price.of(self.input, self.output)

    def better(self, guess: Expected) -> Expected:
        """A guess, corrected by what a call has taken on average so far, and by the longest episode's calls."""
        calls, counted = self.longest or guess.calls, self.answers - self.uncounted
        if not counted:
            return guess
        mean_input, mean_output = self.input / counted * calls, self.output / counted * calls
        cost = self.price.of(mean_input, mean_output) if self.price else None
        return Expected(calls, mean_input, mean_output, cost)


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that a command may use. None: no limit."""

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None
    """US dollars."""

    def exceeded_by(self, calls: float, tokens: float, cost: float) -> str:
        """The option whose limit this much would exceed; "" for none."""
        used = (
            ("--call-budget", self.calls, calls),
            ("--token-budget", self.tokens, tokens),
            ("--cost-budget", self.cost, cost),
        )
        return next((f"{option} {most:g}" for option, most, much in used if most is not None and much > most), "")


class Budget:
    """Decides whether something more may be begun."""

    def __init__(self, allowance: Allowance, spendings: Sequence[Spending]) -> None:
        self._allowance = allowance
        self._spendings = spendings
        self._under_way: dict[object, Expected] = {}
        self._unlimited = allowance == Allowance()

    def begin(self, jobs: Iterable[tuple[object, Expected]]) -> str:
        """Take all of it into the account, or none. Returns the option that forbids it, "" if none does."""
        if self._unlimited:
            return ""
        wanted = dict(jobs)
        ahead = sum([*self._under_way.values(), *wanted.values()], Expected())
        spent = self._spendings
        forbidden = self._allowance.exceeded_by(
            sum(one.answers + one.failures for one in spent) + ahead.calls,
            sum(one.input + one.output for one in spent) + ahead.tokens,
            sum(one.cost or 0.0 for one in spent) + (ahead.cost or 0.0),
        )
        if not forbidden:
            self._under_way |= wanted
        return forbidden

    def end(self, job: object) -> None:
        """What a job has used is counted by now; nothing more is expected of it."""
        self._under_way.pop(job, None)
