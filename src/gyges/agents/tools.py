"""Simulated tools: plain Python functions on a state that each episode has for itself. It knows no graph.

A tool is a function whose first parameter, `state`, is the episode's; the others, with their types, are the
arguments, and the docstring is what the model is told. Whatever a call does wrong the model is told, as an error.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, ValidationError, create_model

from gyges.agents.code import load_module, named
from gyges.errors import AuthoringError, Place
from gyges.models.provider import Tool
from gyges.models.tools import arguments
from gyges.scenarios.nearest import nearest
from gyges.transcripts.failpoint import reach
from gyges.transcripts.record import Message, ToolCall, ToolResult

State = dict[str, Any]
"""What a tool works on: JSON values, as the profile gives them. Any: authored functions write into it."""

SECONDS = 10.0
"""After which a tool is given up. A simulation takes none."""
MOST_CHARACTERS = 100_000
"""Of a result. A longer one would fill the model's context."""


class Failed(Exception):  # noqa: N818 - told to the model, never to the user
    """A call that can't be carried out; its words are the result that the model reads."""


@dataclass(frozen=True, slots=True)
class SimulatedTool:
    """A function, as a model is told of it and as it is called."""

    offer: Tool
    function: Callable[..., object]
    arguments: type[BaseModel]

    def checked(self, call: ToolCall) -> dict[str, object]:
        """The call's arguments. Raises Failed: nothing is repaired, added, left out or made another type."""
        try:
            given = self.arguments.model_validate(arguments(call), strict=True)
        except ValidationError as error:
            raise Failed("; ".join(_fault(fault["loc"], fault["msg"]) for fault in error.errors())) from None
        except ValueError as error:
            raise Failed(str(error)) from None
        return {name: getattr(given, name) for name in self.arguments.model_fields}


def _fault(loc: Sequence[object], message: str) -> str:
    return f"{'.'.join(map(str, loc))}: {message[:1].lower()}{message[1:]}"


def simulated(function: Callable[..., object], path: Path) -> SimulatedTool:
    """The function as a tool. Raises AuthoringError for one that can't be offered to a model."""
    name, place = function.__name__, Place(path, function.__code__.co_firstlineno)
    description = inspect.getdoc(function) or ""
    if not description:
        raise AuthoringError(place, f"the tool {name!r} has no docstring", "say in it what the tool does")
    if inspect.iscoroutinefunction(function):
        raise AuthoringError(place, f"the tool {name!r} is a coroutine", "write `def` without async")
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].name != "state":
        raise AuthoringError(place, f"the first parameter of the tool {name!r} is not `state`", "add it")
    try:
        hints = get_type_hints(function)
        fields: dict[str, Any] = {
            one.name: (hints[one.name], ... if one.default is one.empty else one.default) for one in parameters[1:]
        }
        model = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        schema = model.model_json_schema()
    except (KeyError, NameError, TypeError, PydanticUserError) as fault:
        what = f"the parameters of the tool {name!r} have no types that JSON has ({fault})"
        raise AuthoringError(place, what, "write, say, `to: str`") from fault
    return SimulatedTool(Tool(name, description, schema), function, model)


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of an agent, and the state that every episode begins with."""

    tools: Mapping[str, SimulatedTool]
    state: Mapping[str, object]

    def open(self) -> Bench:
        """A bench for one episode."""
        return Bench(self.tools, copy.deepcopy(dict(self.state)))


class Bench:
    """The tools at work in one episode, on a state that is its own."""

    def __init__(self, tools: Mapping[str, SimulatedTool], state: State) -> None:
        self._tools = tools
        self.state = state

    @property
    def offered(self) -> tuple[Tool, ...]:
        return tuple(tool.offer for tool in self._tools.values())

    async def answers(self, calls: Sequence[ToolCall]) -> tuple[Message, ...]:
        """The results of these calls, carried out one after the other in their order."""
        return tuple([await self.answer(call) for call in calls])

    async def answer(self, call: ToolCall) -> Message:
        """The result of one call, or what is wrong with it. A call that fails leaves the state as it was."""
        try:
            words = await self._carried_out(call)
            reach("tool-applied")
            return Message("tool", words, result=ToolResult(call.id))
        except Failed as failure:
            return Message("tool", f"Error: {failure}", result=ToolResult(call.id, failed=True))

    async def _carried_out(self, call: ToolCall) -> str:
        tool = self._tools.get(call.name)
        if tool is None:
            raise Failed(f"there is no tool {call.name!r}. {nearest(call.name, list(self._tools))}".strip())
        given = tool.checked(call)
        state = copy.deepcopy(self.state)
        text = _text(await _bounded(lambda: tool.function(state, **given)))
        self.state = state
        return text


async def _bounded(work: Callable[[], object]) -> object:
    """Do it in a thread, for so long. Raises Failed. One that hangs keeps its thread, and nobody waits for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def settle(value: object, fault: BaseException | None) -> None:
        if done.done():
            return
        if fault is None:
            done.set_result(value)
        else:
            done.set_exception(Failed(f"{type(fault).__name__}: {fault}"))

    def run() -> None:
        value: object = None
        fault: BaseException | None = None
        try:
            value = work()
        except BaseException as raised:  # noqa: BLE001 - authored code, in a thread of its own: told to the model
            fault = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value, fault)

    threading.Thread(target=run, daemon=True).start()
    try:
        async with asyncio.timeout(SECONDS):
            return await done
    except TimeoutError:
        raise Failed(f"the tool did not answer within {SECONDS:g} seconds") from None


def _text(value: object) -> str:
    """Text as it is, other values as JSON. Raises Failed."""
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise Failed(f"the tool's result is a {type(value).__name__}, which can't be sent") from None
    if len(text) > MOST_CHARACTERS:
        raise Failed(f"the tool's result has {len(text):,} characters, and {MOST_CHARACTERS:,} are allowed")
    return text


def load_tools(where: str, state: Mapping[str, object]) -> Toolbox:
    """The tools that `file.py:name` names: a tuple of functions. Raises UsageError or AuthoringError."""
    path, name = named(where)
    functions = load_module(path).get(name)
    if not isinstance(functions, tuple) or not functions or not all(map(inspect.isfunction, functions)):
        raise AuthoringError(
            Place(path), f"{name!r} is not a tuple of functions", f"end with {name} = (first, second)"
        )
    tools = [simulated(function, path) for function in functions]
    return Toolbox({tool.offer.name: tool for tool in tools}, json.loads(json.dumps(dict(state))))
