"""What the headers of OpenAI and Anthropic promise is read; nonsense in them is nothing."""

from __future__ import annotations

import pytest

from gyges.models.rate_limits import Room, rooms

DATE = ("Date", "Sat, 21 Nov 2026 12:00:00 GMT")


def test_openais_headers_tell_requests_and_tokens() -> None:
    headers = (
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    )
    assert rooms(headers) == (Room("requests", 59, 60, 1), Room("tokens", 149984, 150000, 360))


def test_anthropics_headers_tell_each_kind_of_tokens_and_a_moment_by_its_own_clock() -> None:
    headers = (
        DATE,
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2026-11-21T12:00:30Z"),
        ("anthropic-ratelimit-output-tokens-limit", "8000"),
        ("anthropic-ratelimit-output-tokens-remaining", "4000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-11-21T12:00:30Z"),
    )
    assert rooms(headers) == (Room("requests", 0, 50, 30), Room("output-tokens", 4000, 8000, 30))


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [("120ms", 0.12), ("1h2m3.5s", 3723.5), ("1d", 86400), ("0s", 0), ("7", 7), ("2026-11-21T13:00:00+01:00", 0)],
)
def test_a_reset_is_a_duration_a_number_or_a_moment(reset: str, seconds: float) -> None:
    headers = (DATE, ("X-RateLimit-Remaining-Requests", "3"), ("X-RateLimit-Reset-Requests", reset))
    assert rooms(headers) == (Room("requests", 3, None, seconds),)


@pytest.mark.parametrize(
    ("remaining", "reset"),
    [
        *((remaining, "1s") for remaining in ("", "-1", "nan", "inf", "many")),
        *(("1", reset) for reset in ("", "soon", "-1s", "1s;", "inf", "9" * 400 + "s", "2026-11-21T12:00:30")),
    ],
)
def test_nonsense_promises_nothing(remaining: str, reset: str) -> None:
    headers = (("x-ratelimit-remaining-requests", remaining), ("x-ratelimit-reset-requests", reset))
    assert rooms(headers) == ()


def test_an_answer_without_such_headers_promises_nothing() -> None:
    assert rooms((("content-type", "application/json"), DATE)) == ()


def test_one_more_remains_after_its_share_of_the_time_until_all_do() -> None:
    assert Room("requests", 0, 60, 60).seconds_each == 1
    assert Room("requests", 59, 60, 1).seconds_each == 1
    assert Room("requests", 4, None, 20).seconds_each == 5
    assert Room("requests", 0, None, 20).seconds_each == 20
