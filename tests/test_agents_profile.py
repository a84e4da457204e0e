"""Agent profiles: what can be said in one, and that what can't work is told with its place before a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.agents.graphs import load_graph
from gyges.agents.profile import Role, load_profile, profile_names
from gyges.agents.tools import load_tools
from gyges.errors import AuthoringError, UsageError
from tests.conftest import Shown, Study


def write(study: Study, text: str, name: str = "mine") -> Path:
    folder = study.root / "agents"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


FULL = """\
title: Mine
model: anthropic/some-model
base_url: http://127.0.0.1:8000
stream: true
graph: graphs/tools.py:graph
instructions: Think first.
scratchpad: scratchpad
tools: tools/files.py:tools
state:
  files:
    a.txt: "1"
  depth: 3
sampling:
  max_tokens: 9000
  temperature: 0.5
  reasoning_effort: high
  reasoning_tokens: 2000
  seed: 7
limits:
  steps: 9
  tokens: 20000
  cost: 0.5
  seconds: 60
"""


def test_a_profile_says_how_an_agent_is_asked_and_how_far_it_may_go(study: Study) -> None:
    write(study, FULL)
    profile = load_profile("mine")
    assert (profile.name, profile.model, profile.stream) == ("mine", "anthropic/some-model", True)
    assert profile.sampling.sampling().reasoning_tokens == 2000
    limits = profile.limits
    assert (limits.steps, limits.tokens, limits.cost, limits.seconds) == (9, 20_000, 0.5, 60.0)
    assert load_tools(profile.tools, profile.state).open().state == {"files": {"a.txt": "1"}, "depth": 3}


@pytest.mark.usefixtures("study")
def test_every_profile_of_the_library_can_be_played() -> None:
    for name in profile_names():
        profile = load_profile(name, role=None)
        load_graph(profile.graph)
        if profile.tools:
            assert load_tools(profile.tools, profile.state).tools


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("title: x\n", "1:1", "the key 'model' is missing"),
        ("model: openai/m\nmodle: x\n", "2:1", "unknown key 'modle'"),
        ("model: opnai/m\n", "1:8", "unknown provider in 'opnai/m'"),
        ("model: openai/\n", "1:8", "names no model"),
        ("model: organism/fakr\n", "1:8", "no organism is called 'fakr'"),
        ("model: openai/m\ngraph: chat\n", "2:8", "'chat' names nothing in a file"),
        ("model: openai/m\ngraph: graphs/chta.py:graph\n", "2:8", "there is no graphs/chta.py"),
        ("model: openai/m\ntools: tools/none.py:tools\n", "2:8", "there is no tools/none.py"),
        ("model: openai/m\nstream: maybe\n", "2:9", "stream"),
        ("model: openai/m\nwire: smoke\n", "2:7", "wire: 'smoke' is not known"),
        ("model: openai/m\nsampling:\n  max_tokens: 0\n", "3:15", "sampling.max_tokens"),
        ("model: openai/m\nsampling:\n  temperature: warm\n", "3:16", "sampling.temperature"),
        ("model: openai/m\nlimits:\n  steps: 0\n", "3:10", "limits.steps"),
        ("model: openai/m\nlimits:\n  cost: free\n", "3:9", "limits.cost"),
        ("model: openai/m\nsampling:\n  reasoning_tokens: 9\n", "3:21", "takes no budget"),
        ("model: organism/faker\nsampling:\n  reasoning_tokens: 9\n", "3:21", "takes no budget"),
        ("model: anthropic/m\nsampling:\n  reasoning_tokens: 4096\n", "3:21", "leave no room"),
        ("- model\n", "1:1", "expected a mapping"),
    ],
)
def test_what_can_not_work_is_told_where_it_stands(study: Study, text: str, place: str, says: str) -> None:
    path = write(study, text)
    with pytest.raises(AuthoringError) as caught:
        load_profile("mine")
    assert str(caught.value).startswith(f"{path}:{place}: ")
    assert says in str(caught.value)


@pytest.mark.usefixtures("study")
def test_an_organism_can_be_named_without_a_profile() -> None:
    assert load_profile("organism/faker").organism
    assert load_profile("organism/of-another-server", "http://127.0.0.1:9").organism


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("name", "says"),
    [("fakr", "faker"), ("opnai/m", "unknown provider"), ("organism/fakr", "no organism is called 'fakr'")],
)
def test_an_agent_that_is_not_there_is_a_usage_error(name: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load_profile(name)


@pytest.mark.parametrize(
    ("code", "line", "says"),
    [
        ("graph = 1 +\n", 1, "SyntaxError"),
        ("\n\nimport no_such_module\n", 3, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def f():\n    raise ValueError('no')\n\nf()\n", 2, "ValueError: no"),
        ("graph = 1\n", None, "'graph' is not a compiled graph"),
    ],
)
def test_a_graphs_file_that_can_not_be_run_is_told_with_its_line(
    study: Study, gyges: Callable[..., Shown], code: str, line: int | None, says: str
) -> None:
    write(study, "model: openai/m\ngraph: own.py:graph\n")
    path = study.root / "agents" / "own.py"
    path.write_text(code, encoding="utf-8")
    with pytest.raises(AuthoringError) as caught:
        load_graph("own.py:graph")
    assert (caught.value.place.file, caught.value.place.line) == (path, line)
    assert says in str(caught.value)
    for named in ([], ["agents"], [str(path)]):
        shown = gyges("check", *named)
        assert shown.code == 2
        assert says in shown.err


def test_files_of_the_same_name_are_two_modules(study: Study, tmp_path: Path) -> None:
    own = "from gyges.agents.graphs import load_graph\ngraph = load_graph('graphs/chat.py:graph')\n"
    paths = [tmp_path / "one" / "own.py", study.root / "agents" / "own.py"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.write_text(own.replace("chat", "chat" if path is paths[0] else "scratchpad"), encoding="utf-8")
    assert load_graph(f"{paths[0]}:graph") is not load_graph(f"{paths[1]}:graph")


ROLES = [("judge", "agent"), ("paraphraser", "agent"), ("judge", "paraphraser")]


@pytest.mark.parametrize(("own", "asked"), ROLES)
def test_a_profile_with_a_role_is_for_no_other(study: Study, own: Role, asked: Role) -> None:
    write(study, f"role: {own}\nmodel: openai/some-model\n")
    assert load_profile("mine", role=own).role == own
    assert load_profile("mine", role=None).role == own
    with pytest.raises(UsageError, match=f"mine is no {asked}: its role is {own}"):
        load_profile("mine", role=asked)


@pytest.mark.parametrize("role", ["judge", "paraphraser"])
def test_an_agent_or_a_model_will_do_for_every_role(study: Study, role: Role) -> None:
    write(study, "model: openai/some-model\n")
    assert load_profile("mine", role=role).model == load_profile("openai/some-model", role=role).model
