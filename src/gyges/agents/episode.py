"""One agent playing one plan once, through its LangGraph graph. It knows no store, no retry and no other episode.

A graph gets an `EpisodeContext` and keeps an `EpisodeState`; all it needs to do is to say the plan's turns and to
`ask`. Whatever goes wrong in a call is told by the exception `CallFailed`, which a graph lets pass.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict

from gyges.agents.world import WorldBench
from gyges.models.provider import CallFailed, Reply, Tool, Trouble
from gyges.scenarios.condition import holds
from gyges.scenarios.plan import Alternative, Plan, Text
from gyges.scenarios.world import World
from gyges.transcripts.reasoning import split_tags
from gyges.transcripts.record import Message, Outcome, Visibility
from gyges.transcripts.world import seen, with_start

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langgraph.pregel import Pregel

    from gyges.agents.tools import Bench, Toolbox

log = logging.getLogger("gyges.agents")


class Ask(Protocol):
    """Asks the model with everything said so far, offering it tools. Raises CallFailed."""

    def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = (), /) -> Awaitable[Reply]: ...


class EpisodeState(TypedDict):
    """The state of the graphs: the transcript so far, and how the last call ended."""

    messages: tuple[Message, ...]
    outcome: Outcome
    reason: str


class Spent(Exception):  # noqa: N818 - a limit, not an error
    """The episode has used what it may use."""


@dataclass(frozen=True, slots=True)
class EpisodeContext:
    """What a graph is given: the plan's words and a way to ask the model. The context's name is not in it."""

    opening: tuple[Message, ...]
    """The system message, if there is one."""
    turns: tuple[Text, ...]
    ask: Ask
    scratchpad: str = ""
    """The tag that the instructions ask the model to reason in."""
    bench: Bench | WorldBench | None = None
    """The world's tools, or the agent's own, at work in this episode."""
    alternatives: tuple[tuple[Alternative, ...], ...] = ()
    """For each turn, what may be said in its place."""
    world: World | None = None
    steps: int = 50
    """Turns at most: a workflow is one step to LangGraph, whatever is said in it."""

    def next_turn(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """The messages with the next user turn added, after the opening where the episode begins."""
        said = tuple(messages) or self.opening
        turn = self.turn(turns_taken(said), said)
        return (*said, Message("user", turn.text, signal=turn.signal))

    def turn(self, at: int, said: Sequence[Message]) -> Text:
        """The user's words in this turn, by what was done so far. Raises Spent where there are too many."""
        if at >= self.steps:
            raise Spent(f"more than {self.steps} steps")
        others = self.alternatives[at] if self.alternatives else ()
        if not others:
            return self.turns[at]
        found = seen(said, dict(self.world.start), self.world.tests()) if self.world else seen(said)
        return next((one.user for one in others if holds(one.when, found)), self.turns[at])

    def after(self, asked: Sequence[Message], reply: Reply) -> EpisodeState:
        """The state once `asked` was answered: pending while the model answers and the user has turns left."""
        over = reply.outcome is not Outcome.COMPLETED or turns_taken(asked) >= len(self.turns)
        outcome = reply.outcome if over else Outcome.PENDING
        return {"messages": (*asked, reply.message), "outcome": outcome, "reason": reply.reason}


def turns_taken(messages: Sequence[Message]) -> int:
    """How many of the user's turns were said."""
    return sum(message.role == "user" for message in messages)


async def after_turn(state: EpisodeState) -> Literal["turn", "end"]:
    """Where to go next. Async, because LangGraph runs a sync edge in a thread."""
    return "turn" if state["outcome"] is Outcome.PENDING else "end"


def with_scratchpad(reply: Reply, tag: str) -> Reply:
    """The reply with what stands in `<tag>` taken out of its text and added to its reasoning."""
    pieces, text = split_tags(reply.message.text, (tag,), Visibility.SCRATCHPAD)
    if not pieces:
        return reply
    shown = tuple(piece for piece in reply.message.reasoning if piece.visibility is not Visibility.ABSENT)
    message = dataclasses.replace(reply.message, text=text, reasoning=(*shown, *pieces))
    return dataclasses.replace(reply, message=message)


@dataclass(frozen=True, slots=True)
class Played:
    """What came of an episode: everything said, and how it ended."""

    messages: tuple[Message, ...]
    outcome: Outcome
    reason: str
    model: str


Price = Callable[[int, int], float]
"""US dollars for so many tokens of input and of output."""


class _Witness:
    """Remembers what was said last, so that an episode that breaks off keeps it; counts tokens."""

    def __init__(self, ask: Ask, tokens: int | None, cost: float | None, price: Price | None) -> None:
        self._ask = ask
        self._tokens = tokens
        self._cost = cost
        self._price = price
        self._input = 0
        self._output = 0
        self.said: tuple[Message, ...] = ()
        self.model = ""

    async def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
        self.said = tuple(messages)
        self._check()
        reply = await self._ask(messages, tools) if tools else await self._ask(messages)
        self.said = (*messages, reply.message)
        self.model = reply.model or self.model
        self._count(reply)
        return reply

    def _check(self) -> None:
        """Raises Spent when another call may not be made."""
        used = self._input + self._output
        if self._tokens is not None and used >= self._tokens:
            raise Spent(f"{used} tokens, of {self._tokens} allowed")
        if self._cost is None:
            return
        if self._price is None:
            raise Spent("the model's price is not known, so that the limit of cost can't be kept")
        spent = self._price(self._input, self._output)
        if spent >= self._cost:
            raise Spent(f"{spent:.4f} dollars, of {self._cost:g} allowed")

    def _count(self, reply: Reply) -> None:
        counted = reply.usage.input is not None and reply.usage.output is not None
        if not counted and (self._tokens, self._cost) != (None, None):
            raise Spent("the provider does not count its tokens, so that their limit can't be kept")
        self._input += reply.usage.input or 0
        self._output += reply.usage.output or 0


OUTCOME_OF_TROUBLE = {
    Trouble.CONTEXT_OVERFLOW: Outcome.CONTEXT_OVERFLOW,
    Trouble.FILTERED: Outcome.FILTERED_BY_PROVIDER,
}


def opening(system: Text, instructions: str) -> tuple[Message, ...]:
    """The system message: the scenario's words, then the profile's instructions, the same in every context."""
    text = "\n\n".join(part for part in (system.text.rstrip("\n"), instructions.strip("\n")) if part)
    return (Message("system", text, signal=system.signal),) if text else ()


async def play(
    graph: Pregel[EpisodeState, EpisodeContext, EpisodeState, EpisodeState],
    plan: Plan,
    ask: Ask,
    *,
    instructions: str = "",
    scratchpad: str = "",
    steps: int = 50,
    tokens: int | None = None,
    cost: float | None = None,
    price: Price | None = None,
    seconds: float = 600.0,
    toolbox: Toolbox | None = None,
    watch: Callable[[asyncio.Timeout], None] | None = None,
) -> Played:
    """Play the plan to its end, to a limit or to the deadline. Never raises for what a call or a graph can do,
    except that what concerns the whole run passes through: CallFailed (a wrong key, say), and MemoryError.

    `tokens` are those of all calls, input and output, and `cost` is what they cost: once one is used up no call is
    made, and the outcome is `step_limit`. So it is after `steps`, of the graph or turns of the user.
    `watch` is given the deadline, for whoever has reason to move it.
    """
    from langchain_core.callbacks import AsyncCallbackManager
    from langgraph.errors import GraphRecursionError
    from langsmith import tracing_context
    from langsmith.utils import tracing_is_enabled

    witness = _Witness(ask, tokens, cost, price)
    own = toolbox.open() if toolbox else None
    bench = WorldBench.of(plan.world) if plan.world else own
    context = EpisodeContext(
        opening(plan.system, instructions),
        plan.turns,
        witness,
        scratchpad,
        bench,
        plan.alternatives,
        plan.world,
        steps,
    )
    state: EpisodeState = {"messages": (), "outcome": Outcome.PENDING, "reason": ""}
    outcome, reason = Outcome.ERRORED, "the graph ended without an answer"
    deadline = asyncio.timeout(seconds)
    try:
        # LangGraph would send every prompt to a tracing service wherever the environment has a switch for it.
        with tracing_context(enabled=False) if tracing_is_enabled() else nullcontext():
            async with deadline:
                if watch:
                    watch(deadline)
                # With a manager at hand LangGraph makes none of the environment's listeners.
                config: RunnableConfig = {"recursion_limit": steps, "callbacks": AsyncCallbackManager([])}
                async for value in graph.astream(state, config, context=context, stream_mode="values"):
                    state = value  # type: ignore[assignment]  # with stream_mode="values" it is the state
        if state["outcome"] is not Outcome.PENDING:
            outcome, reason = state["outcome"], state["reason"]
    except CallFailed as failure:
        if failure.stops_the_run:
            raise
        outcome, reason = OUTCOME_OF_TROUBLE.get(failure.trouble, Outcome.ERRORED), str(failure)
    except GraphRecursionError:
        outcome, reason = Outcome.STEP_LIMIT, f"more than {steps} steps"
    except Spent as spent:
        outcome, reason = Outcome.STEP_LIMIT, str(spent)
    except MemoryError:
        raise
    except Exception as fault:
        if isinstance(fault, TimeoutError) and deadline.expired():
            return _ended(plan, state, witness, Outcome.TIMED_OUT, f"no end after {seconds:g} s")
        # A graph may be anybody's code, and raise anything: that is how its episode ended.
        log.exception("a graph failed")
        outcome, reason = Outcome.ERRORED, f"{type(fault).__name__}: {fault}"
    return _ended(plan, state, witness, outcome, reason)


def _ended(plan: Plan, state: EpisodeState, witness: _Witness, outcome: Outcome, reason: str) -> Played:
    """What came of an episode that ended so."""
    whole = state["outcome"] is not Outcome.PENDING
    messages = state["messages"] if whole else with_rest(state["messages"], witness.said)
    return Played(with_start(messages, plan.world), outcome, reason, witness.model)


def with_rest(said: Sequence[Message], asked: Sequence[Message]) -> tuple[Message, ...]:
    """What was said in whole steps of the graph, and what was asked and answered since the last of them."""
    known = Counter(map(_words, said))
    rest = [message for message in asked if not said or message.role != "system"]
    # A message that was said twice is in the transcript twice: Counter's subtraction, but in order.
    return (*said, *(message for message in rest if not _taken(known, _words(message))))


def _words(message: Message) -> tuple[str, str]:
    """What tells a message from others, also after its scratchpad was taken out."""
    return message.role, message.replay or f"{message.text}{message.calls}{message.result}"


def _taken(known: Counter[tuple[str, str]], words: tuple[str, str]) -> bool:
    known[words] -= 1
    return known[words] >= 0
