"""Which models are siblings, by their names: judges favour their own kind. It grades nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gyges.transcripts.manifest import Manifest

FAMILIES = (
    "claude",
    "gpt",
    "gemini",
    "gemma",
    "llama",
    "qwen",
    "deepseek",
    "mistral",
    "mixtral",
    "grok",
    "kimi",
    "glm",
    "phi",
    "command",
    "nemotron",
    "olmo",
    "hermes",
)
_OPENAI = re.compile(r"(?:^|/)(?:o[134](?:-|$)|chatgpt)")


def family(model: str) -> str:
    """The family of `provider/model`, by the model's name; "" for one that is not known."""
    name = model.rpartition("/")[2].lower()
    if model.startswith("organism/"):
        return ""
    found = next((one for one in FAMILIES if one in name), "")
    return found or ("gpt" if _OPENAI.search(model.lower()) else "")


def same_family(judges: Sequence[str], manifest: Manifest) -> Iterator[str]:
    """A caution for every judge that is of an agent's family: judges favour their kind."""
    for judge in judges:
        for agent in manifest.agents:
            if family(judge) and family(judge) == family(agent.model):
                yield (
                    f"the judge {judge} and the agent {agent.name} are of one family ({family(judge)}): judge a "
                    "sample with another family's model too, and compare"
                )
