"""From `provider/model` to a provider: which wire format, which address, which key. It sends nothing.

One table says it all; the SDKs are imported when a provider is made.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from gyges.errors import AuthenticationError, UsageError
from gyges.models.provider import Continuation, Provider

if TYPE_CHECKING:
    from gyges.models.batches import Batches
    from gyges.models.http import Wire

Format = Literal["chat", "responses", "messages"]


@dataclass(frozen=True, slots=True)
class Service:
    """A provider as a name of models begins with it."""

    format: Format
    base_url: str | None
    """None: there is no usual address."""
    key_name: str
    """The environment variable of the key."""
    base_url_name: str
    """The environment variable of the address."""
    needs_key: bool = True
    returned: tuple[str, ...] = ()
    """Fields of assistant messages that the server wants back."""
    returned_with_calls: tuple[str, ...] = ()
    """Fields that it wants back beside tool calls only."""
    continues: Continuation = "no"
    """How it goes on from the beginning of an answer, as far as that is documented."""


SERVICES: Mapping[str, Service] = {
    "openai": Service("chat", "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "openai-responses": Service("responses", "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "anthropic": Service("messages", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "openrouter": Service(
        "chat",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        "OPENROUTER_BASE_URL",
        returned=("reasoning_details",),
    ),
    "deepseek": Service(
        "chat",
        "https://api.deepseek.com",
        "DEEPSEEK_API_KEY",
        "DEEPSEEK_BASE_URL",
        returned_with_calls=("reasoning_content",),
        # Its beta, which has an address of its own: https://api.deepseek.com/beta
        continues="prefix",
    ),
    "vllm": Service(
        "chat",
        "http://127.0.0.1:8000/v1",
        "VLLM_API_KEY",
        "VLLM_BASE_URL",
        needs_key=False,
        # Models that think between their calls are trained on seeing what they thought.
        returned_with_calls=("reasoning", "reasoning_content"),
        continues="final",
    ),
}

COMPATIBLE = "openai-api"
"""`openai-api/SERVICE/MODEL`: any other service, with SERVICE_API_KEY and SERVICE_BASE_URL."""


def provider(
    model: str,
    base_url: str | None = None,
    *,
    key: str | None = None,
    stream: bool = False,
    continues: Continuation | None = None,
    connections: int = 1000,
    wire: Wire | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Provider, str]:
    """The provider of `provider/model` and the model's name as that provider knows it.

    The address is `base_url`, else the service's environment variable, else its usual one. The key is `key`, else
    the service's environment variable. `continues` takes the place of what is known of the service, `wire` that
    of sockets. Raises UsageError for an unknown provider or an unusable address, AuthenticationError where a key
    is needed and none is set.
    """
    found = _found(model, base_url, key, os.environ if environment is None else environment)
    service = found.service if continues is None else replace(found.service, continues=continues)
    return _make(found.name, service, found.address, found.key, stream, connections, wire), found.model


def batches(
    model: str,
    base_url: str | None = None,
    *,
    key: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Batches:
    """The batches of the provider of `provider/model`, found as `provider` finds it. Raises as it does."""
    found = _found(model, base_url, key, os.environ if environment is None else environment)
    if found.service.format == "messages":
        from gyges.models.batches_anthropic import AnthropicBatches

        return AnthropicBatches(found.address.rstrip("/").removesuffix("/v1"), found.key)
    from gyges.models.batches_openai import OpenAIBatches

    path: Final = "/responses" if found.service.format == "responses" else "/chat/completions"
    return OpenAIBatches(found.address, found.key, path)


@dataclass(frozen=True, slots=True)
class _Found:
    """Who answers to a model's name, where, and with which key."""

    name: str
    service: Service
    model: str
    address: str
    key: str


def _found(model: str, base_url: str | None, key: str | None, variables: Mapping[str, str]) -> _Found:
    name, service, model_name = _service(model)
    address = _address(model, service, base_url, variables)
    if urlsplit(address).hostname != urlsplit(service.base_url or "").hostname:
        # Somebody else's server: it may well be open.
        service = replace(service, needs_key=False)
    return _Found(name, service, model_name, address, _key(variables, service) if key is None else key)


def address_of(model: str, base_url: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Where calls of `provider/model` go, an address in the environment included. Raises as `provider` does."""
    _, service, _ = _service(model)
    return _address(model, service, base_url, os.environ if environment is None else environment)


def told_elsewhere(model: str, environment: Mapping[str, str] | None = None) -> str:
    """The variable of the environment that sends calls of `provider/model` to an unusual address; "" for none."""
    _, service, _ = _service(model)
    address = (os.environ if environment is None else environment).get(service.base_url_name)
    return service.base_url_name if address and address != service.base_url else ""


def _address(model: str, service: Service, base_url: str | None, variables: Mapping[str, str]) -> str:
    address = base_url or variables.get(service.base_url_name) or service.base_url
    if address is None:
        raise UsageError(f"{model} has no address", f"give --base-url or set {service.base_url_name}")
    _check_address(address, service)
    return address


def format_of(model: str) -> Format:
    """The wire format of `provider/model`. Raises UsageError for an unknown provider."""
    return _service(model)[1].format


def _service(model: str) -> tuple[str, Service, str]:
    name, _, rest = model.partition("/")
    if name == COMPATIBLE:
        name, _, rest = rest.partition("/")
        variable = "".join(c if c.isalnum() else "_" for c in name).upper()
        service: Service | None = Service("chat", None, f"{variable}_API_KEY", f"{variable}_BASE_URL")
    else:
        service = SERVICES.get(name)
    if service is None or not name:
        known = ", ".join(f"{known}/MODEL" for known in SERVICES)
        raise UsageError(f"unknown provider in {model!r}", f"known are {known} and {COMPATIBLE}/SERVICE/MODEL")
    if not rest:
        raise UsageError(f"{model!r} names no model", "write provider/model, such as openai/MODEL")
    return name, service, rest


def _check_address(address: str, service: Service) -> None:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"{address!r} is no address", "give one like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        # Not shown: what stands there may be a secret.
        raise UsageError(
            "the base URL has a user name, a password, a query or a fragment",
            f"leave it out; a key belongs into {service.key_name}",
        )


def _key(variables: Mapping[str, str], service: Service) -> str:
    from gyges.models.connection import PLACEHOLDER

    key = variables.get(service.key_name, "")
    if not key:
        if service.needs_key:
            raise AuthenticationError(f"no key: {service.key_name} is not set", f"export {service.key_name}=...")
        return PLACEHOLDER
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthenticationError(
            f"{service.key_name} has spaces, line ends or other characters that no key has", "set it again"
        )
    return key


def _make(
    name: str, service: Service, address: str, key: str, stream: bool, connections: int, wire: Wire | None
) -> Provider:
    if service.format == "messages":
        from gyges.models.anthropic_messages import AnthropicMessages

        # The path of Messages has its own `/v1`, which addresses of other servers are often given with.
        return AnthropicMessages(
            address.rstrip("/").removesuffix("/v1"),
            key,
            name=name,
            stream=stream,
            connections=connections,
            wire=wire,
        )
    if service.format == "responses":
        from gyges.models.openai_responses import OpenAIResponses

        return OpenAIResponses(address, key, name=name, stream=stream, connections=connections, wire=wire)
    from gyges.models.openai_chat import OpenAIChat

    return OpenAIChat(
        address,
        key,
        name=name,
        returned=service.returned,
        returned_with_calls=service.returned_with_calls,
        continues=service.continues,
        stream=stream,
        connections=connections,
        wire=wire,
    )
