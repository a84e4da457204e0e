"""Names of models, addresses and keys."""

from __future__ import annotations

import pytest

from gyges.errors import AuthenticationError, UsageError
from gyges.models.anthropic_messages import AnthropicMessages
from gyges.models.openai_chat import OpenAIChat
from gyges.models.openai_responses import OpenAIResponses
from gyges.models.registry import SERVICES, address_of, provider, told_elsewhere

KEYS = {
    "OPENAI_API_KEY": "sk-1",
    "ANTHROPIC_API_KEY": "sk-2",
    "OPENROUTER_API_KEY": "sk-3",
    "DEEPSEEK_API_KEY": "sk-4",
}


@pytest.mark.parametrize(
    ("model", "given", "environment", "address", "name"),
    [
        ("openai/m", None, KEYS, "https://api.openai.com/v1", "m"),
        ("openai/m", None, {**KEYS, "OPENAI_BASE_URL": "http://other.test/v1"}, "http://other.test/v1", "m"),
        ("openai/m", "http://given.test/v1", {**KEYS, "OPENAI_BASE_URL": "x"}, "http://given.test/v1", "m"),
        ("openai/m", "http://127.0.0.1:9/v1", {}, "http://127.0.0.1:9/v1", "m"),
        ("openai-responses/m", None, KEYS, "https://api.openai.com/v1", "m"),
        ("anthropic/m", None, KEYS, "https://api.anthropic.com", "m"),
        ("anthropic/m", "http://[::1]:9", {}, "http://[::1]:9", "m"),
        ("anthropic/m", "http://127.0.0.1:9/v1/", {}, "http://127.0.0.1:9", "m"),
        ("openrouter/deepseek/r1:free", None, KEYS, "https://openrouter.ai/api/v1", "deepseek/r1:free"),
        ("deepseek/m", None, KEYS, "https://api.deepseek.com", "m"),
        ("vllm/org/m", None, {}, "http://127.0.0.1:8000/v1", "org/m"),
        ("openai-api/my-host/org/m", None, {"MY_HOST_BASE_URL": "http://h.test/v1"}, "http://h.test/v1", "org/m"),
    ],
)
def test_a_model_name_gives_address_and_model(
    model: str, given: str | None, environment: dict[str, str], address: str, name: str
) -> None:
    made, model_name = provider(model, given, environment=environment)
    kinds = {"anthropic": AnthropicMessages, "openai-responses": OpenAIResponses}
    assert isinstance(made, kinds.get(model.partition("/")[0], OpenAIChat))
    assert isinstance(made, (AnthropicMessages, OpenAIResponses, OpenAIChat))
    assert (made.base_url, model_name) == (address, name)


@pytest.mark.parametrize("variable", ["OPENAI_BASE_URL", "ANTHROPIC_BASE_URL"])
def test_an_address_in_the_environment_can_be_seen_on_the_provider(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9/elsewhere")
    made, _ = provider(f"{variable.partition('_')[0].lower()}/m")
    assert isinstance(made, (OpenAIChat, AnthropicMessages))
    assert made.base_url == "http://127.0.0.1:9/elsewhere"


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if service.needs_key])
def test_a_missing_key_is_named(name: str) -> None:
    with pytest.raises(AuthenticationError, match=SERVICES[name].key_name):
        provider(f"{name}/m", environment={})


def test_the_same_host_written_otherwise_still_needs_its_key() -> None:
    with pytest.raises(AuthenticationError, match="OPENAI_API_KEY"):
        provider("openai/m", "https://API.openai.com/v1/", environment={})


@pytest.mark.parametrize("key", ["sk-x\n", "sk x", "sk-é"])
def test_a_key_with_characters_that_no_key_has_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(AuthenticationError, match="OPENAI_API_KEY has") as caught:
        provider("openai/m", environment={"OPENAI_API_KEY": key})
    assert key not in str(caught.value)


@pytest.mark.parametrize("model", ["", "m", "nobody/m", "/m", "openai-api/", "openai-api//m"])
def test_an_unknown_provider_is_an_error_that_names_the_known_ones(model: str) -> None:
    with pytest.raises(UsageError, match=r"openai/MODEL, .*anthropic/MODEL"):
        provider(model, environment=KEYS)


@pytest.mark.parametrize("model", ["openai", "openai/", "openai-api/host"])
def test_a_name_without_a_model_is_an_error(model: str) -> None:
    with pytest.raises(UsageError, match="names no model"):
        provider(model, environment=KEYS)


def test_a_service_without_an_address_is_an_error_that_says_how_to_give_one() -> None:
    with pytest.raises(UsageError, match="MY_HOST_BASE_URL"):
        provider("openai-api/my-host/m", environment={})


@pytest.mark.parametrize("address", ["nonsense", "ftp://x/v1", "http://", "http://x:99999/v1", "http://[::1/v1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        provider("openai/m", address, environment=KEYS)


@pytest.mark.parametrize("address", ["http://u:hunter2@x/v1", "http://x/v1?key=hunter2", "http://x/v1#hunter2"])
def test_a_secret_in_an_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(UsageError, match="OPENAI_API_KEY") as caught:
        provider("openai/m", address, environment=KEYS)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "environment", "variable"),
    [
        ("openai/m", {"OPENAI_BASE_URL": "http://other.test/v1"}, "OPENAI_BASE_URL"),
        ("openai/m", {"OPENAI_BASE_URL": "https://api.openai.com/v1"}, ""),
        ("openai/m", {}, ""),
        ("anthropic/m", {"ANTHROPIC_BASE_URL": "http://other.test"}, "ANTHROPIC_BASE_URL"),
        ("openai-api/mine/m", {"MINE_BASE_URL": "http://mine.test/v1"}, "MINE_BASE_URL"),
    ],
)
def test_an_address_that_the_environment_gives_is_known_beforehand(
    model: str, environment: dict[str, str], variable: str
) -> None:
    assert told_elsewhere(model, environment) == variable
    address = address_of(model, environment=environment)
    assert address == next(iter(environment.values()), "https://api.openai.com/v1")
    assert address_of(model, "http://given.test/v1", environment) == "http://given.test/v1"
