"""Error answers, sorted by what is to be done about them."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest

from gyges.models.failures import failed, failed_inside, retry_after
from gyges.models.provider import Received, Trouble


def openai(message: str, kind: str = "invalid_request_error", code: str | None = None) -> dict[str, object]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str) -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


CASES: list[tuple[int, object, Trouble]] = [
    (401, openai("Incorrect API key provided: sk-x", code="invalid_api_key"), Trouble.AUTHENTICATION),
    (401, anthropic("authentication_error", "invalid x-api-key"), Trouble.AUTHENTICATION),
    (403, anthropic("permission_error", "Your API key has no access"), Trouble.AUTHENTICATION),
    (403, "<html>Forbidden</html>", Trouble.AUTHENTICATION),
    (403, openai("Country not supported", code="unsupported_country_region_territory"), Trouble.AUTHENTICATION),
    (403, {"error": {"message": "daily limit", "code": "quota_exceeded"}}, Trouble.QUOTA),
    (
        403,
        {"error": {"message": "Input was flagged", "code": 403, "metadata": {"flagged_input": "..."}}},
        Trouble.FILTERED,
    ),
    (402, {"error": {"message": "Insufficient Balance", "type": "unknown_error"}}, Trouble.QUOTA),
    (402, "", Trouble.QUOTA),
    (400, anthropic("invalid_request_error", "Your credit balance is too low to access the API."), Trouble.QUOTA),
    (429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), Trouble.QUOTA),
    (429, anthropic("rate_limit_error", "You have reached your specified spend limit."), Trouble.QUOTA),
    (429, openai("Rate limit reached for gpt", "tokens", "rate_limit_exceeded"), Trouble.TRANSIENT),
    (429, anthropic("rate_limit_error", "This request would exceed your rate limit"), Trouble.TRANSIENT),
    (408, "", Trouble.TRANSIENT),
    (409, anthropic("conflict_error", "conflict"), Trouble.TRANSIENT),
    (425, "", Trouble.TRANSIENT),
    (500, anthropic("api_error", "Internal server error"), Trouble.TRANSIENT),
    (502, "<html>Bad gateway</html>", Trouble.TRANSIENT),
    (503, {"detail": "Model is loading"}, Trouble.TRANSIENT),
    (504, b"\xff\xfe", Trouble.TRANSIENT),
    (520, "", Trouble.TRANSIENT),
    (529, anthropic("overloaded_error", "Overloaded"), Trouble.TRANSIENT),
    (
        400,
        openai("This model's maximum context length is 128000 tokens.", code="context_length_exceeded"),
        Trouble.CONTEXT_OVERFLOW,
    ),
    (
        400,
        anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000"),
        Trouble.CONTEXT_OVERFLOW,
    ),
    (
        400,
        anthropic("invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3"),
        Trouble.CONTEXT_OVERFLOW,
    ),
    (
        400,
        {"object": "error", "message": "maximum context length is 2048", "type": "BadRequestError", "code": 400},
        Trouble.CONTEXT_OVERFLOW,
    ),
    (
        400,
        {"error": {"code": 400, "message": "too big", "type": "exceed_context_size_error"}},
        Trouble.CONTEXT_OVERFLOW,
    ),
    (400, openai("max_tokens is too large: 99999. This model supports at most 16384"), Trouble.CONTEXT_OVERFLOW),
    (400, openai("The response was filtered", code="content_filter"), Trouble.FILTERED),
    (400, openai("Invalid prompt: flagged as potentially violating our usage policy"), Trouble.FILTERED),
    (400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), Trouble.FILTERED),
    (400, {"error": {"message": "Content Exists Risk", "type": "invalid_request_error"}}, Trouble.FILTERED),
    (400, openai("Unsupported parameter: 'max_tokens'", code="unsupported_parameter"), Trouble.REJECTED),
    (404, openai("The model `x` does not exist", code="model_not_found"), Trouble.REJECTED),
    (404, {"detail": "Not Found"}, Trouble.REJECTED),
    (413, anthropic("request_too_large", "Request exceeds the maximum size"), Trouble.REJECTED),
    (422, {"detail": [{"loc": ["body", "model"], "msg": "field required"}]}, Trouble.REJECTED),
    (405, "", Trouble.REJECTED),
    (304, "", Trouble.REJECTED),
]


@pytest.mark.parametrize(("status", "body", "trouble"), CASES)
def test_an_error_answer_is_sorted_by_what_to_do(status: int, body: object, trouble: Trouble) -> None:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    failure = failed(Received(status, (), raw))
    assert failure.trouble is trouble
    assert failure.received is not None
    assert failure.received.body == raw


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (openai("The model `x` does not exist"), "The model `x` does not exist"),
        (anthropic("not_found_error", "model: x"), "model: x"),
        ({"error": "plain words"}, "plain words"),
        ({"object": "error", "message": "at the top"}, "at the top"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"msg": "field required"}]}, "field required"),
        ([1, 2], "[1, 2]"),
        ("x\x1b[31m\nred", "x\\u001b[31m red"),
    ],
)
def test_the_providers_own_words_are_passed_on_and_harmless(body: object, words: str) -> None:
    raw = body if isinstance(body, str) else json.dumps(body)
    detail = failed(Received(404, (), raw.encode())).detail
    assert words in detail
    assert detail.isprintable()


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"x" * 10_000_000])
def test_a_strange_error_body_does_no_harm(body: bytes) -> None:
    assert len(failed(Received(500, (), body)).detail) < 1000


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        ({"message": "Upstream died", "code": 502}, Trouble.GARBLED),
        ({"message": "slow down", "code": 429}, Trouble.GARBLED),
        ({"message": "No credits", "code": 402}, Trouble.QUOTA),
        ({"message": "bad key", "code": 401}, Trouble.AUTHENTICATION),
        ({"message": "what", "code": "weird"}, Trouble.GARBLED),
        ("text", Trouble.GARBLED),
        ([], Trouble.GARBLED),
    ],
)
def test_an_error_inside_a_good_status_is_garbled_unless_it_stops_the_run(error: object, trouble: Trouble) -> None:
    assert failed_inside(Received(200, (), b"{}"), error).trouble is trouble


NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], None),
        ([("Retry-After", "1")], 1.0),
        ([("retry-after", " 2.5 ")], 2.5),
        ([("retry-after", "0")], 0.0),
        ([("retry-after-ms", "250")], 0.25),
        ([("retry-after-ms", "250"), ("retry-after", "9")], 0.25),
        ([("retry-after-ms", "nan"), ("retry-after", "9")], 9.0),
        ([("retry-after", "86400")], 86400.0),
        ([("retry-after", "inf")], None),
        ([("retry-after", "nan")], None),
        ([("retry-after", "-5")], None),
        ([("retry-after", "soon")], None),
        ([("retry-after", formatdate(NOW + 30, usegmt=True))], 30.0),
        ([("retry-after", formatdate(NOW - 30, usegmt=True))], None),
        ([("retry-after", "Fri, 99 Feb 2026 00:00:00 GMT")], None),
        ([("retry-after", "")], None),
    ],
)
def test_the_wait_that_is_asked_for_is_read_and_nonsense_is_not(
    headers: list[tuple[str, str]], seconds: float | None
) -> None:
    assert retry_after(tuple(headers), NOW) == seconds


def test_the_wait_is_on_the_failure() -> None:
    assert failed(Received(429, (("Retry-After", "7"),), b"{}")).retry_after == 7.0
