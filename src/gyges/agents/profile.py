"""Agent profiles: which model, asked how, through which graph. Read from `agents/NAME.yaml`; it makes no call."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gyges import study
from gyges.errors import UsageError
from gyges.models.provider import Sampling
from gyges.scenarios.nodes import read_document
from gyges.scenarios.validate import nearest, validated


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
    """Where an episode ends at the latest: steps of its graph, seconds."""

    steps: int = Field(default=50, ge=1)
    seconds: float = Field(default=900.0, gt=0)


class Profile(Strict):
    """An agent: a model with its settings and its graph. `name` is the file's, never written in it."""

    name: str = ""
    title: str = ""
    model: str
    """`provider/model`, such as `openai/some-model`; `organism/NAME` is served by gyges itself."""
    base_url: str | None = None
    wire: str = "openai"
    """The wire format an organism is asked in: openai or anthropic."""
    graph: str = "graphs/chat.py:graph"
    instructions: str = ""
    """Words for the model after the scenario's system prompt, the same in every context."""
    scratchpad: str = ""
    """The tag that the instructions ask the model to reason in."""
    sampling: SamplingSettings = SamplingSettings()
    limits: Limits = Limits()

    @property
    def organism(self) -> bool:
        return self.model.startswith("organism/")


def profile_names() -> list[str]:
    """The names of all profiles, of the study and the library."""
    return sorted({path.stem for folder in study.places("agents") for path in folder.glob("*.yaml")})


def find_profile(name: str) -> Path | None:
    """The profile's file, the study's before the library's."""
    for folder in study.places("agents"):
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    return None


def load_profile(name: str, base_url: str | None = None) -> Profile:
    """The profile of that name, or one made of `provider/model`. Raises UsageError for an unknown name and
    AuthoringError for a file that can't be used.
    """
    path = find_profile(name)
    if path is not None:
        profile = validated(read_document(path), Profile).model_copy(update={"name": name})
    elif "/" in name:
        profile = Profile(name=name, model=name)
    else:
        raise UsageError(
            f"no agent is called {name!r}",
            f"{nearest(name, profile_names())} A model is named provider/model, such as openai/MODEL",
        )
    return profile.model_copy(update={"base_url": base_url}) if base_url else profile
