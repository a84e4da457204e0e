"""Where something changed since a run stopped, a new run takes over what still holds, and says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from gyges.errors import UsageError
from gyges.transcripts.reader import RunReader
from gyges.transcripts.record import Outcome
from gyges.transcripts.verify import verify
from tests.conftest import Shown, Study
from tests.test_batch_stop import outcomes, run_of, served

Gyges = Callable[..., Shown]


def asked(folder: Path) -> int:
    lines = map(json.loads, (folder / "witness.jsonl").read_text(encoding="utf-8").splitlines())
    return sum(line["event"] == "received" for line in lines)


def test_answers_whose_scenario_is_the_same_are_taken_over_and_the_others_asked_anew(
    study: Study, gyges: Gyges
) -> None:
    with served(study.root, []) as url:
        assert gyges("run", "walks", "--agent", "faker", "--base-url", url, "--call-budget", "9").code == 3
        old = run_of(study)
        with RunReader(old) as reader:
            (played,) = [{heading.key.scenario for heading in reader.headings()}]
        changed = sorted(played)[0]
        study.change(f"{changed.removeprefix('walks/')}.yaml", "Shall we walk", "Shall we run")
        refused = gyges("resume", old.stem)
        assert refused.code == UsageError.exit_code
        assert f"scenario {changed} changed since" in refused.err
        assert "--fork" in refused.err
        before = asked(study.root)
        shown = gyges("resume", old.stem, "--fork")
        assert shown.code == 0, shown.err
    (new,) = set((study.root / "transcripts").glob("*.sqlite")) - {old}
    assert f"changed since {old.stem}: scenario {changed}" in shown.err
    assert f"{new.stem} takes over 6 answers of {old.stem}" in shown.err
    assert asked(study.root) - before == 24 - 6
    assert outcomes(new) == [Outcome.COMPLETED] * 24
    assert len(outcomes(old)) == 8
    with RunReader(new) as reader:
        assert reader.manifest.took_over == old.stem
    assert verify(new) == []


def test_a_run_that_is_as_it_was_is_not_taken_over(study: Study, gyges: Gyges) -> None:
    with served(study.root, []) as url:
        assert gyges("run", "walks", "--agent", "faker", "--base-url", url, "--call-budget", "9").code == 3
        shown = gyges("resume", run_of(study).stem, "--fork")
    assert shown.code == UsageError.exit_code
    assert "nothing changed" in shown.err
    assert len(list((study.root / "transcripts").glob("*.sqlite"))) == 1
