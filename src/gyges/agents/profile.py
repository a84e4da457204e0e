"""Agent profiles: which model, asked how, through which graph. Read from `agents/NAME.yaml`; it makes no call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from gyges import study
from gyges.agents.code import named
from gyges.errors import UsageError
from gyges.models.provider import Continuation, Sampling
from gyges.models.registry import format_of
from gyges.scenarios.nodes import Document, Step, read_document
from gyges.scenarios.validate import nearest, validated

Role = Literal["agent", "judge", "paraphraser"]


class Strict(BaseModel):
    """What is authored: unknown keys are errors, and nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SamplingSettings(Strict):
    """How to ask; what is left out is left to the provider."""

    max_tokens: int = Field(default=4096, ge=1)
    temperature: float | None = Field(default=None, ge=0)
    reasoning_effort: str | None = None
    reasoning_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None

    def sampling(self) -> Sampling:
        return Sampling(**self.model_dump())


class Limits(Strict):
    """Where an episode ends at the latest. Too many steps, tokens or dollars are the outcome `step_limit`."""

    steps: int = Field(default=50, ge=1)
    """Of its graph."""
    tokens: int | None = Field(default=None, ge=1)
    """Of all its calls, input and output."""
    cost: float | None = Field(default=None, gt=0)
    """US dollars."""
    seconds: float = Field(default=900.0, gt=0)


class Profile(Strict):
    """An agent: a model with its settings and its graph. `name` is the file's, never written in it."""

    name: str = ""
    title: str = ""
    role: Role = "agent"
    """What it is for: to be studied, to judge transcripts, or to say reasoning in other words."""
    model: str
    """`provider/model`, such as `openai/some-model`; `organism/NAME` is served by gyges itself."""
    base_url: str | None = None
    wire: Literal["openai", "openai-responses", "anthropic"] = "openai"
    """The wire format an organism is asked in."""
    stream: bool = False
    """Ask for the answers in pieces, as some servers want it of long ones."""
    continues: Continuation | None = None
    """How the server goes on from the beginning of an answer, where gyges does not know: for interventions."""
    graph: str = "graphs/chat.py:graph"
    instructions: str = ""
    """Words for the model after the scenario's system prompt, the same in every context."""
    scratchpad: str = ""
    """The tag that the instructions ask the model to reason in."""
    tools: str = ""
    """`file.py:name` of the tools that the graph may use, a tuple of functions."""
    state: dict[str, JsonValue] = Field(default_factory=dict)
    """What each episode's tools begin with."""
    sampling: SamplingSettings = SamplingSettings()
    limits: Limits = Limits()

    @property
    def organism(self) -> bool:
        return self.model.startswith("organism/")

    def asked(self, settings: Mapping[str, int | float | str]) -> Profile:
        """The same agent with these settings of sampling in the place of its own."""
        if not settings:
            return self
        sampling = SamplingSettings.model_validate({**self.sampling.model_dump(), **settings})
        return self.model_copy(update={"sampling": sampling})


def profile_names() -> list[str]:
    """The names of all profiles, of the study and the library."""
    return sorted({path.stem for folder in study.places("agents") for path in folder.glob("*.yaml")})


SCRIPTED_JUDGES = "judge-"
"""How the names of the judges begin that `gyges serve` plays."""


def find_profile(name: str) -> Path | None:
    """The profile's file, the study's before the library's."""
    for folder in study.places("agents"):
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    return None


def load_profile(name: str, base_url: str | None = None, role: Role | None = "agent") -> Profile:
    """The profile of that name, or one made of `provider/model`, for this role; None: for any.

    An agent's profile will do for every role, and no other one for an agent. Raises UsageError for an unknown name
    or another role, and AuthoringError for a file that can't be used.
    """
    path = find_profile(name)
    if path is not None:
        profile = read_profile(path)
    elif "/" in name:
        profile = Profile(name=name, model=name, base_url=base_url)
        _check_model(profile)
    else:
        raise UsageError(
            f"no {role or 'agent'} is called {name!r}",
            f"{_instead(name)} (a model is named provider/model, such as openai/MODEL)",
        )
    if role is not None and profile.role not in ("agent", role):
        to_do = f"name another, or write `role: {role}` in its profile"
        raise UsageError(f"{name} is no {role}: its role is {profile.role}", to_do)
    return profile.model_copy(update={"base_url": base_url}) if base_url else profile


def _instead(name: str) -> str:
    if name.startswith(SCRIPTED_JUDGES):
        return f"scripted judges are served: gyges serve, then openai/{name} with --base-url ADDRESS/v1"
    return nearest(name, profile_names())


def read_profile(path: Path) -> Profile:
    """The profile in a file. Raises AuthoringError, with its place, for whatever would fail in every episode."""
    document = read_document(path)
    profile = validated(document, Profile).model_copy(update={"name": path.stem})
    _at(document, "model", lambda: _check_model(profile))
    _at(document, "graph", lambda: named(profile.graph))
    if profile.tools:
        _at(document, "tools", lambda: named(profile.tools))
    _check_reasoning(document, profile)
    return profile


def _at(document: Document, key: Step, check: Callable[[], object]) -> None:
    """Run a check; what it says is wrong stands at this key."""
    try:
        check()
    except UsageError as error:
        raise document.error(document.at([key]), error.what, error.to_do) from error


def _check_model(profile: Profile) -> None:
    if not profile.organism:
        format_of(profile.model)
        return
    name = profile.model.removeprefix("organism/")
    known = {path.stem for folder in study.places("agents") for path in (folder / "organisms").glob("*.yaml")}
    if name not in known and profile.base_url is None:
        raise UsageError(f"no organism is called {name!r}", nearest(name, sorted(known)))


def _check_reasoning(document: Document, profile: Profile) -> None:
    """A budget of reasoning tokens must be one that the provider takes and that leaves room for an answer."""
    budget, most = profile.sampling.reasoning_tokens, profile.sampling.max_tokens
    place = document.at(["sampling", "reasoning_tokens"])
    if budget is None:
        return
    if (profile.wire != "anthropic") if profile.organism else (format_of(profile.model) != "messages"):
        raise document.error(place, "this provider takes no budget of reasoning tokens", "set reasoning_effort")
    if budget >= most:
        what = f"{budget} reasoning tokens leave no room in max_tokens, {most}"
        raise document.error(place, what, "set max_tokens higher: it counts both")
