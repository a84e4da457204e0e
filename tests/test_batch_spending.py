"""What a run uses and may use; what a token costs. Unknown is never nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from gyges.batch.order import Order, prepare
from gyges.batch.prices import Price, price_of, read_prices
from gyges.batch.spending import Allowance, Expected, Spending, expected
from gyges.errors import AuthoringError, UsageError
from gyges.models.provider import Usage
from gyges.scenarios.read import select
from gyges.scenarios.render import plans
from tests.conftest import Study


def test_an_unknown_price_makes_an_unknown_cost() -> None:
    spending = Spending(None)
    spending.answered(Usage(10, 10))
    assert spending.cost is None


def test_an_answer_without_its_count_makes_an_unknown_cost() -> None:
    spending = Spending(Price(1, 1))
    spending.answered(Usage(10, 10))
    assert spending.cost == pytest.approx(2e-5)
    spending.answered(Usage(None, 10))
    assert spending.cost is None


def test_a_sum_with_an_unknown_cost_is_unknown() -> None:
    assert (Expected(1, 1, 1, 0.5) + Expected(1, 1, 1, None)).cost is None
    assert (Expected(1, 1, 1, 0.5) + Expected(1, 1, 1, 0.25)).cost == 0.75


@pytest.mark.usefixtures("study")
def test_with_tools_a_turn_is_taken_to_be_several_calls_until_an_episode_has_shown_how_many() -> None:
    (plan, *_) = plans(select(["walks"])[0])
    guess = expected(plan, Price(1, 1), rounds=5)
    assert guess.calls == 5
    assert guess.input > 5 * expected(plan, Price(1, 1)).input
    spending = Spending(Price(1, 1))
    spending.answered(Usage(100, 10))
    spending.longest = 8
    assert (spending.better(guess).calls, spending.better(guess).input) == (8, 800)


@pytest.mark.usefixtures("study")
def test_every_turn_is_a_call_and_asks_again_with_all_that_was_said() -> None:
    (plan, *_) = plans(select(["walks"])[0])
    found = expected(plan, Price(1, 1))
    assert found.calls == len(plan.turns) == 1
    assert found.input == (len(plan.system.text) + len(plan.turns[0].text)) / 4
    assert found.cost == pytest.approx((found.input + found.output) / 1e6)


def test_prices_are_the_studys_and_what_has_none_is_unknown(study: Study) -> None:
    assert read_prices() == {}
    (study.root / "prices.yaml").write_text("prices:\n  openai/one: {input: 9, output: 8}\n", encoding="utf-8")
    prices = read_prices()
    assert price_of("openai/one", prices) == Price(9, 8)
    assert price_of("openai/one-2026-08-06", prices) == Price(9, 8)
    assert price_of("openai/one-strange", prices) is None
    assert price_of("organism/faker", prices) == Price(0, 0)


def test_a_price_that_is_none_is_told_with_its_place(study: Study) -> None:
    (study.root / "prices.yaml").write_text("prices:\n  some/model: {input: cheap, output: 9}\n", encoding="utf-8")
    with pytest.raises(AuthoringError, match=r"prices.yaml:2:\d+"):
        read_prices()


@pytest.mark.usefixtures("study")
def test_a_limit_on_money_is_refused_where_the_price_is_unknown() -> None:
    order = Order(
        ("walks",), ("openai/nobody-knows",), base_url="http://127.0.0.1:1/v1", allowance=Allowance(cost=1)
    )
    with pytest.raises(UsageError, match="the price of openai/nobody-knows is unknown"):
        prepare(order)


def test_reading_prices_looks_where_the_study_begins(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "prices.yaml").write_text("prices:\n  a/b: {input: 1, output: 2}\n", encoding="utf-8")
    assert read_prices(tmp_path)["a/b"] == Price(1, 2)
