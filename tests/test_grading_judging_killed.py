"""A judging process that is killed: what was answered is not asked again, and the set is whole in the end."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest

from gyges.grading.run import grade_stored
from gyges.transcripts import rows
from gyges.transcripts.reader import RunReader
from gyges.transcripts.verify import verify
from tests.judging import FAKES, HONEST, court, order, pairs

CODE = """
import asyncio, sys
from pathlib import Path
from gyges.grading.run import grade_stored
from tests.judging import order
asyncio.run(grade_stored(Path(sys.argv[1]), order(sys.argv[2], "careful", votes=2)))
"""


def events(witness: Path, kind: str) -> list[dict[str, str]]:
    if not witness.exists():
        return []
    found = [json.loads(line) for line in witness.read_text(encoding="utf-8").splitlines()]
    return [one for one in found if one["event"] == kind]


def answered(path: Path) -> set[str]:
    """The bodies whose answers are in the store."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        calls = [rows.call_of(row) for row in db.execute(f"{rows.SELECT_CALLS} ORDER BY number")]
    db.close()
    return {call.request.decode() for call in calls if call.response is not None}


@pytest.mark.full
@pytest.mark.parametrize("after", [1, 7, 25])
async def test_after_a_kill_no_stored_answer_is_asked_for_again(tmp_path: Path, after: int) -> None:
    path, witness = pairs(tmp_path / "one.sqlite", *[FAKES, HONEST] * 10), tmp_path / "witness.jsonl"
    slow = tmp_path / "faults.json"
    slow.write_text(
        json.dumps({"faults": [{"match": {}, "fault": {"kind": "drip", "seconds": 0.02, "size": 600}}]}),
        encoding="utf-8",
    )
    async with court(witness, slow) as url:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CODE, str(path), url, cwd=Path(__file__).parent.parent
        )
        while len(events(witness, "sent")) < after:
            assert child.returncode is None
            await asyncio.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        await child.wait()
        before, known = len(events(witness, "received")), answered(path)
        made = await grade_stored(path, order(url, "careful", votes=2))
    assert made.resumed
    assert made.pending == 0
    again = [one["body"] for one in events(witness, "received")[before:]]
    assert not known & set(again)
    assert max(Counter(again).values()) == 1
    with RunReader(path) as reader:
        assert len(list(reader.judgements())) == reader.count() == 40
    assert verify(path) == []
