"""Alpha spending: against published boundaries and against simulated looks."""

from __future__ import annotations

import numpy as np
import pytest

from gyges.analysis.sequential import looks, spent


@pytest.mark.parametrize(
    "published",
    [
        # Two-sided 5%, evenly spaced looks, as tabulated for the O'Brien-Fleming-type spending function.
        (2.9626, 1.9686),
        (3.7103, 2.5114, 1.9930),
        (4.3326, 2.9631, 2.3590, 2.0141),
        (4.8769, 3.3569, 2.6803, 2.2898, 2.0310),
    ],
)
def test_boundaries_are_the_published_ones(published: tuple[float, ...]) -> None:
    fractions = [i / len(published) for i in range(1, len(published) + 1)]
    assert [look.z for look in looks(fractions)] == pytest.approx(published, abs=2e-4)


def test_one_look_at_the_end_is_the_ordinary_test() -> None:
    (look,) = looks([1.0])
    assert [look.z, look.p, look.spent] == pytest.approx([1.959964, 0.05, 0.05], abs=1e-6)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_all_is_spent_at_the_end_and_little_at_first(alpha: float) -> None:
    assert spent(1.0, alpha) == pytest.approx(alpha)
    assert spent(0.2, alpha) < alpha / 1000
    assert spent(0.5, alpha) < spent(0.6, alpha)


def test_looks_together_keep_the_error_in_simulation() -> None:
    paths = np.random.default_rng(5).normal(size=(200_000, 4)).cumsum(axis=1) / np.arange(1, 5) ** 0.5
    bounds = np.array([look.z for look in looks([0.25, 0.5, 0.75, 1.0])])
    assert (np.abs(paths) > bounds).any(axis=1).mean() == pytest.approx(0.05, abs=0.002)
    assert (np.abs(paths) > 1.96).any(axis=1).mean() > 0.1


def test_uneven_looks_spend_by_their_fraction() -> None:
    early, late, last = looks([0.1, 0.9, 1.0])
    assert early.z > 6
    assert [late.spent, last.spent] == pytest.approx([spent(0.9), 0.05])


@pytest.mark.parametrize("fractions", [[], [0.0, 1.0], [0.5, 0.5], [0.5, 0.4], [0.5, 1.1]])
def test_looks_that_do_not_rise_are_refused(fractions: list[float]) -> None:
    with pytest.raises(ValueError, match="have to rise"):
        looks(fractions)
