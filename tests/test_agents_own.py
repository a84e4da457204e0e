"""A user's own graph: it is played as it is, and nothing that its model said is lost."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Sequence
from typing import Annotated, Any, TypedDict

import langsmith.utils
import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

from gyges.agents.episode import Played, play
from gyges.agents.own import EpisodeModel, adapt
from gyges.models.provider import CallFailed, Reply, Tool, Trouble
from gyges.transcripts.record import Message, Outcome, Reasoning, ToolCall, ToolResult, Visibility
from tests.scripted import PLAN, Scripted, reply

Graph = CompiledStateGraph[Any, Any, Any, Any]


async def played(own: Graph, model: Scripted, **limits: float) -> Played:
    adapted = adapt(own)
    return await play(
        adapted, PLAN, model, steps=int(limits.get("steps", 50)), seconds=limits.get("seconds", 30.0)
    )


MODEL = EpisodeModel()


class Own(TypedDict):
    """A state of the user's own: no reducer on the messages, and something beside them."""

    messages: list[AnyMessage]
    count: Annotated[int, operator.add]


async def speak(state: Own) -> dict[str, object]:
    return {"messages": [*state["messages"], await MODEL.ainvoke(state["messages"])], "count": 1}


def speak_in_thread(state: MessagesState) -> dict[str, object]:
    return {"messages": [MODEL.invoke(state["messages"])]}


async def think(state: MessagesState) -> dict[str, object]:
    """A plan that never reaches the user."""
    plan = await MODEL.ainvoke([SystemMessage("Make a plan."), *state["messages"]])
    assert plan.content
    return {}


async def shout(state: MessagesState) -> dict[str, object]:
    said = await MODEL.ainvoke(state["messages"])
    return {"messages": [AIMessage(str(said.text).upper(), id=said.id)]}


async def copy(state: MessagesState) -> dict[str, object]:
    said = await MODEL.ainvoke(state["messages"])
    return {"messages": [AIMessage(str(said.text))]}


def chain(*nodes: Any, state: Any = MessagesState, **compiled: Any) -> Graph:
    builder = StateGraph(state)
    for before, node in zip([START, *(node.__name__ for node in nodes)], nodes, strict=False):
        builder.add_node(node.__name__, node)
        builder.add_edge(before, node.__name__)
    builder.add_edge(nodes[-1].__name__, END)
    return builder.compile(**compiled)


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(chain(speak, state=Own), id="a state without a reducer"),
        pytest.param(chain(speak_in_thread), id="a node that is no coroutine"),
        pytest.param(chain(speak_in_thread, checkpointer=InMemorySaver()), id="a checkpointer"),
        pytest.param(chain(copy), id="a message made anew"),
    ],
)
async def test_every_turn_is_played_and_reasoning_stays_with_its_words(own: Graph) -> None:
    model = Scripted(reply("one", thought="Hm."), reply("two"))
    result = await played(own, model)
    assert (result.outcome, result.reason, result.model) == (Outcome.COMPLETED, "", "some-model")
    assert [(message.role, message.text) for message in result.messages] == [
        ("system", "You are Ada."),
        ("user", "<tier>free</tier> Hello."),
        ("assistant", "one"),
        ("user", "And now?"),
        ("assistant", "two"),
    ]
    assert result.messages[1].signal == ((0, 17),)
    assert result.messages[2].reasoning == (Reasoning(Visibility.RAW, "field:reasoning", "Hm."),)
    assert [[message.text for message in asked] for asked in model.asked] == [
        ["You are Ada.", "<tier>free</tier> Hello."],
        ["You are Ada.", "<tier>free</tier> Hello.", "one", "And now?"],
    ]


async def test_what_has_to_go_back_as_it_came_does() -> None:
    model = Scripted(reply("one"), reply("two"))
    await played(chain(speak, state=Own), model)
    assert model.asked[1][2].replay == '{"content":"one"}'


async def test_words_that_the_graph_keeps_to_itself_are_reasoning() -> None:
    model = Scripted(reply("My plan", thought="Hm."), reply("one"), reply("My plan"), reply("two"))
    result = await played(chain(think, speak_in_thread), model)
    first, second = (message for message in result.messages if message.role == "assistant")
    assert (first.text, second.text) == ("one", "two")
    assert [(piece.visibility, piece.source, piece.text) for piece in first.reasoning] == [
        (Visibility.RAW, "field:reasoning", "Hm."),
        (Visibility.SCRATCHPAD, "graph:unsaid", "My plan"),
    ]
    assert result.messages[0].text == "Make a plan."


async def test_words_that_the_graph_changes_are_kept_as_they_were() -> None:
    result = await played(chain(shout), model := Scripted(reply("one"), reply("two")))
    assert (result.messages[2].text, result.messages[2].replay) == ("ONE", None)
    assert [(piece.source, piece.text) for piece in result.messages[2].reasoning] == [("graph:unsaid", "one")]
    assert model.asked[1][2].text == "ONE"


async def rephrase(state: MessagesState) -> dict[str, object]:
    last = state["messages"][-1]
    return {"messages": [HumanMessage(str(last.text).replace("Hello", "Hi"), id=last.id)]}


async def hide(state: MessagesState) -> dict[str, object]:
    last = state["messages"][-1]
    return {"messages": [HumanMessage(str(last.text).replace("free", "F R E E"), id=last.id)]}


@pytest.mark.parametrize(("change", "signal"), [(rephrase, ((0, 17),)), (hide, ((0, 27),))])
async def test_the_signal_is_found_in_words_that_the_graph_changes(change: Any, signal: object) -> None:
    model = Scripted(reply("one"), reply("two"))
    await played(chain(change, speak_in_thread), model)
    assert model.asked[0][1].signal == signal


@tool
def look(at: str) -> str:
    """Look at something."""
    return f"{at} is blue"


async def use_tools(state: MessagesState) -> dict[str, object]:
    return {"messages": [await MODEL.bind_tools([look]).ainvoke(state["messages"])]}


def tool_graph() -> Graph:
    builder = StateGraph(MessagesState)
    builder.add_node("model", use_tools)
    builder.add_node("tools", ToolNode([look]))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile()


async def test_tools_of_the_graph_are_offered_called_and_recorded() -> None:
    call = ToolCall("c1", "look", '{"at": "it"}')
    model = Scripted(reply("", call, thought="Let me see."), reply("It is blue."), reply("two"))
    result = await played(tool_graph(), model)
    assert result.outcome is Outcome.COMPLETED
    asked, answered = result.messages[2:4]
    assert (asked.calls, asked.reasoning[0].text) == ((call,), "Let me see.")
    assert (answered.text, answered.result) == ("it is blue", ToolResult("c1"))
    assert model.asked[1] == result.messages[:4]
    (offered,) = model.offered[0]
    assert (offered.name, offered.description) == ("look", "Look at something.")
    assert offered.parameters["required"] == ["at"]


@pytest.mark.parametrize(
    "call", [ToolCall("c1", "look", '{"at": "it"'), ToolCall("c1", "look", "")], ids=["broken", "empty"]
)
async def test_a_call_that_the_graph_leaves_unanswered_is_no_answer(call: ToolCall) -> None:
    result = await played(tool_graph(), Scripted(reply("", call)))
    assert result.outcome is Outcome.ERRORED
    assert "unanswered" in result.reason
    assert result.messages[-1].calls == (call,)


async def test_a_graph_that_runs_in_circles_stops_at_the_step_limit() -> None:
    call = ToolCall("c1", "look", '{"at": "it"}')
    result = await played(tool_graph(), Scripted(*(reply("", call) for _ in range(50))), steps=6)
    assert result.outcome is Outcome.STEP_LIMIT
    assert [message.role for message in result.messages[-2:]] == ["tool", "assistant"]


async def careless(state: MessagesState) -> dict[str, object]:
    try:
        return {"messages": [await MODEL.ainvoke(state["messages"])]}
    except CallFailed:
        return {"messages": [AIMessage("All is well.")]}


async def test_a_failed_call_can_not_be_hushed_up() -> None:
    model = Scripted(CallFailed(Trouble.CONTEXT_OVERFLOW, "too long"))
    result = await played(chain(careless), model)
    assert result.outcome is Outcome.CONTEXT_OVERFLOW
    assert result.messages[-1].text == "<tier>free</tier> Hello."


@pytest.mark.parametrize("outcome", [Outcome.REFUSED_BY_MODEL, Outcome.TRUNCATED, Outcome.FILTERED_BY_PROVIDER])
async def test_an_answer_that_is_not_complete_ends_the_episode(outcome: Outcome) -> None:
    result = await played(chain(think, speak_in_thread), Scripted(reply("x", outcome=outcome), reply("one")))
    assert (result.outcome, result.reason) == (outcome, "why")
    assert result.messages[-1].text == "one"


async def by_rule(state: MessagesState) -> dict[str, object]:
    return {"messages": [AIMessage(f"Rule {len(state['messages'])}")]}


async def ask_a_person(state: MessagesState) -> dict[str, object]:
    await MODEL.ainvoke(state["messages"])
    interrupt("May I?")
    return {}


async def silent(state: MessagesState) -> dict[str, object]:
    await MODEL.ainvoke(state["messages"])
    return {}


async def broken(state: MessagesState) -> dict[str, object]:
    raise LookupError(f"no {len(state['messages'])}")


async def impatient(state: MessagesState) -> dict[str, object]:
    raise TimeoutError(f"own {len(state['messages'])}")


async def bound(state: MessagesState) -> dict[str, object]:
    return {"messages": [await MODEL.bind(temperature=0).ainvoke(state["messages"])]}


async def in_own_loop(state: MessagesState) -> dict[str, object]:
    return {"messages": [MODEL.invoke(state["messages"])]}


@pytest.mark.parametrize(
    ("own", "says"),
    [
        (chain(by_rule), "did not ask the episode's model"),
        (chain(ask_a_person, checkpointer=InMemorySaver()), "waits for a person"),
        (chain(silent), "without a message of the assistant"),
        (chain(broken), "LookupError: no 2"),
        (chain(impatient), "TimeoutError: own 2"),
        (chain(bound), "the graph sets temperature"),
        (chain(in_own_loop), "await model.ainvoke"),
    ],
)
async def test_what_can_not_be_an_episode_is_an_error_that_says_why(own: Graph, says: str) -> None:
    result = await played(own, Scripted(reply("one"), reply("two")))
    assert result.outcome is Outcome.ERRORED
    assert says in result.reason


async def forget(state: MessagesState) -> dict[str, object]:
    return {"messages": [RemoveMessage(message.id or "") for message in state["messages"][:-1]]}


async def test_what_the_graph_forgets_stays_in_the_transcript() -> None:
    model = Scripted(reply("one"), reply("two"))
    result = await played(chain(speak_in_thread, forget), model)
    assert [message.text for message in result.messages[1:]] == [
        "<tier>free</tier> Hello.",
        "one",
        "And now?",
        "two",
    ]
    assert [message.text for message in model.asked[1]] == ["one", "And now?"]


async def test_episodes_at_the_same_time_hear_only_their_own_model() -> None:
    adapted = adapt(chain(speak_in_thread, checkpointer=InMemorySaver()))
    models = [Scripted(reply(f"{n}a"), reply(f"{n}b")) for n in range(20)]
    results = await asyncio.gather(*(play(adapted, PLAN, model) for model in models))
    for n, result in enumerate(results):
        assert [message.text for message in result.messages if message.role == "assistant"] == [f"{n}a", f"{n}b"]


async def test_a_call_in_a_thread_ends_with_the_episodes_time() -> None:
    class Sleepy(Scripted):
        async def __call__(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Reply:
            await asyncio.sleep(30)
            return await super().__call__(messages, tools)

    result = await played(chain(speak_in_thread), Sleepy(reply("one")), seconds=0.1)
    assert result.outcome is Outcome.TIMED_OUT
    assert [message.role for message in result.messages] == ["system", "user"]


async def test_what_the_graph_needs_to_begin_is_given_to_it() -> None:
    seen: list[int] = []

    async def see(state: Own) -> dict[str, object]:
        seen.append(state["count"])
        return {}

    adapted = adapt(chain(see, speak, state=Own), begin={"count": 7})
    await play(adapted, PLAN, Scripted(reply("one"), reply("two")))
    assert seen == [7, 8]


async def test_an_episode_that_breaks_off_keeps_whole_turns_and_what_came_after() -> None:
    model = Scripted(reply("My plan"), reply("one"), reply("My plan"), CallFailed(Trouble.REJECTED, "no"))
    result = await played(chain(think, speak_in_thread), model)
    assert result.outcome is Outcome.ERRORED
    assert [message.text for message in result.messages] == [
        "Make a plan.",
        "You are Ada.",
        "<tier>free</tier> Hello.",
        "one",
        "And now?",
    ]
    assert result.messages[3].reasoning[-1].text == "My plan"


async def test_nothing_is_sent_to_a_tracing_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "true")
    langsmith.utils.get_env_var.cache_clear()  # type: ignore[attr-defined]
    seen: list[bool] = []

    async def see(state: MessagesState) -> dict[str, object]:
        seen.append(bool(langsmith.utils.tracing_is_enabled()))
        return {"messages": [await MODEL.ainvoke(state["messages"])]}

    assert langsmith.utils.tracing_is_enabled()
    await played(chain(see), Scripted(reply("one"), reply("two")))
    assert seen == [False, False]
    monkeypatch.undo()
    langsmith.utils.get_env_var.cache_clear()  # type: ignore[attr-defined]
