"""What a token costs: the study's own `prices.yaml`. It knows only names.

None come with gyges: prices change, and a wrong one would let a budget through. A model without a price costs
"unknown", which is never nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from gyges import study
from gyges.scenarios.nodes import read_document
from gyges.scenarios.validate import validated

FILE = "prices.yaml"
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    batch: float = 1.0
    """The share of it that a call in a provider's batch costs."""

    def in_batch(self) -> Price:
        """What tokens of a batch cost; the full price where the file says nothing of batches."""
        return Price(self.input * self.batch, self.output * self.batch, 1.0)

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """US dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / 1e6


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceOfModel(_Authored):
    input: float = Field(ge=0)
    output: float = Field(ge=0)
    batch: float = Field(default=1.0, ge=0, le=1)
    """The share of the price that a call in a provider's batch costs, such as 0.5."""


class PricesFile(_Authored):
    """`prices` maps `provider/model` to US dollars per million tokens; `as_of` says when they were looked up."""

    as_of: str = ""
    prices: dict[str, PriceOfModel]


def read_prices(start: Path | None = None) -> dict[str, Price]:
    """The prices that the study gives. Raises AuthoringError."""
    path = study.study(start) / FILE
    if not path.is_file():
        return {}
    known = validated(read_document(path), PricesFile).prices
    return {name: Price(price.input, price.output, price.batch) for name, price in known.items()}


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of `provider/model`, also without its date; None is unknown. Organisms cost nothing."""
    if model.startswith("organism/"):
        return Price(0.0, 0.0)
    return prices.get(model) or prices.get(_DATED.sub("", model))
