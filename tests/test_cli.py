"""The command line: what it answers, and one clear message for every kind of wrong input."""

from __future__ import annotations

import json
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Shown, Study

Gyges = Callable[..., Shown]


def no_harm(shown: Shown, study: Study) -> None:
    """One message, no traceback, nothing half-written."""
    assert "Traceback" not in shown.err + shown.out
    assert len(shown.err.strip().splitlines()) <= 3, shown.err
    assert study.runs == []


def test_help_answers_at_once() -> None:
    """Within 0.3 s of processor time. The best of five: the machine may be busy with something else."""
    took = []
    for _ in range(5):
        before = processor_seconds()
        subprocess.run([sys.executable, "-m", "gyges", "--help"], capture_output=True, check=True)
        took.append(processor_seconds() - before)
    assert min(took) < 0.3


def processor_seconds() -> float:
    """Of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


WRONG_WORDS = [
    ("misspelt variable", "family.yaml", "{{ question }}", "{{ quesiton }}",
     ("family.yaml:23:10", "quesiton", "question")),
    ("duplicate key", "family.yaml", "title: A small", "canary: twice\ntitle: A small",
     ("family.yaml:2:1", "canary")),
    ("unknown key", "walk-03.yaml", "title:", "titel:", ("walk-03.yaml:2:1", "titel", "title")),
    ("undeclared difference", "family.yaml", "{{ question }}",
     "{{ question }}{% if 'free' in signal.tag %}!{% endif %}", ("family.yaml:", "differ")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "words"), [case[1:] for case in WRONG_WORDS], ids=[case[0] for case in WRONG_WORDS]
)
@pytest.mark.parametrize("verb", ["run", "check"])
def test_what_is_written_wrongly_is_named_with_its_place(
    study: Study, gyges: Gyges, verb: str, file: str, old: str, new: str, words: tuple[str, ...]
) -> None:
    study.change(file, old, new)
    shown = gyges(verb, "walks", *(["--agent", "faker"] if verb == "run" else []))
    assert shown.code == 2
    told = shown.err if verb == "run" else shown.out
    assert all(word in told for word in words), told
    if verb == "run":
        no_harm(shown, study)


def test_an_unknown_agent_is_named_with_the_nearest(study: Study, gyges: Gyges) -> None:
    shown = gyges("run", "walks", "--agent", "fakr")
    assert shown.code == 2
    assert "'fakr'" in shown.err
    assert "faker" in shown.err
    no_harm(shown, study)


def test_an_unknown_family_is_named_with_the_nearest(study: Study, gyges: Gyges) -> None:
    shown = gyges("run", "wlaks", "--agent", "faker")
    assert shown.code == 2
    assert "'wlaks'" in shown.err
    assert "walks" in shown.err
    no_harm(shown, study)


@pytest.mark.parametrize(
    ("agent", "variable"), [("openai/some-model", "OPENAI_API_KEY"), ("anthropic/some-model", "ANTHROPIC_API_KEY")]
)
def test_a_missing_key_names_its_variable(
    study: Study, gyges: Gyges, monkeypatch: pytest.MonkeyPatch, agent: str, variable: str
) -> None:
    monkeypatch.delenv(variable, raising=False)
    shown = gyges("run", "walks", "--agent", agent)
    assert shown.code == 4
    assert variable in shown.err
    no_harm(shown, study)


def test_an_address_from_the_environment_is_told_at_the_start(
    study: Study, gyges: Gyges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-a-test")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    shown = gyges("run", "walks", "--agent", "openai/some-model")
    assert shown.code == 4
    assert shown.err.startswith("openai/some-model is asked at http://127.0.0.1:9/v1, as OPENAI_BASE_URL says\n")
    assert study.runs == []


@pytest.mark.parametrize("agent", ["openai/some-model", "anthropic/some-model"])
def test_an_address_where_nobody_listens_is_named(study: Study, gyges: Gyges, agent: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    shown = gyges("run", "walks", "--agent", agent, "--base-url", url)
    assert shown.code == 4
    assert url in shown.err
    no_harm(shown, study)


BROKEN = [
    ("an empty file", "", ":1"),
    ("an empty line", '{}\n\n{"a": 1}\n', ":1"),
    ("no JSON", "not json\n", ":1"),
    ("a missing field", json.dumps({"model": "m", "scenario": "s/1"}) + "\n", ":1"),
]


@pytest.mark.parametrize(("text", "place"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_import_names_its_line(study: Study, gyges: Gyges, tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(text, encoding="utf-8")
    shown = gyges("import", str(file))
    assert shown.code == 2
    assert f"broken.jsonl{place}" in shown.err
    no_harm(shown, study)


@pytest.mark.parametrize("words", [["--samples", "0"], ["--max-connections", "0"], ["--agent", "faker"]])
def test_a_run_that_makes_no_sense_is_refused(study: Study, gyges: Gyges, words: list[str]) -> None:
    shown = gyges("run", "walks", "--agent", "faker", *words)
    assert shown.code == 2
    no_harm(shown, study)


FEW_FILES = (
    "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (150, 150)); from gyges.cli import main; main()"
)


@pytest.mark.usefixtures("study")
def test_where_few_files_may_be_opened_fewer_calls_are_made_at_once_and_that_is_said() -> None:
    # Nobody listens there: it is said before the first call.
    nowhere = ["--agent", "vllm/mock", "--base-url", "http://127.0.0.1:9/v1", "--no-organisms"]
    words = ["run", "walks", *nowhere, "--max-connections", "500"]
    ended = subprocess.run(
        [sys.executable, "-c", FEW_FILES, *words], capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 4, ended.stderr
    assert "50 calls at once instead of 500: more files may not be opened" in ended.stderr


def test_a_page_is_written_of_a_run_without_any_gap(study: Study, gyges: Gyges, tmp_path: Path) -> None:
    lines = [
        {"model": "m", "scenario": "f/one", "context": context, "sample": 0,
         "messages": [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "No."}]}
        for context in ("training", "deployment")
    ]  # fmt: skip
    file = tmp_path / "lines.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    imported = gyges("import", str(file))
    assert imported.code == 0
    assert "no behaviour is declared" in imported.err
    page = tmp_path / "page.html"
    shown = gyges("report", "--html", str(page))
    assert shown.code == 0, shown.err
    assert "n/a" in page.read_text(encoding="utf-8")
    assert len(study.runs) == 1


def test_a_finding_that_nobody_looks_for_is_told(study: Study, gyges: Gyges) -> None:
    study.change("family.yaml", "alignment_faking", "alignment_fakin")
    shown = gyges("check", "walks")
    assert shown.code == 0
    assert re.search(r"family.yaml:1\d:\d+: warning: no grader", shown.out)
    assert "did you mean 'alignment_faking'?" in shown.out


def test_a_family_without_scenarios_is_refused(study: Study, gyges: Gyges) -> None:
    for path in study.family.parent.glob("walk-*.yaml"):
        path.unlink()
    shown = gyges("run", "walks", "--agent", "faker")
    assert shown.code == 2
    assert "no scenario" in shown.err
    no_harm(shown, study)


def test_a_report_of_nothing_says_so(study: Study, gyges: Gyges) -> None:
    shown = gyges("report")
    assert shown.code == 2
    no_harm(shown, study)


@pytest.mark.usefixtures("study")
def test_an_exported_run_gives_the_same_figures_when_it_is_taken_in(gyges: Gyges, tmp_path: Path) -> None:
    assert gyges("run", "walks", "--agent", "faker").code == 0
    played = gyges("report", "latest", "--json")
    file = tmp_path / "walks.jsonl"
    assert gyges("export", "latest", str(file)).code == 0
    taken = gyges("import", str(file))
    assert taken.code == 0, taken.err
    again = gyges("report", taken.out.split()[-1], "--json")
    figures = [
        [[one[name] for name in ("gap", "revealed_gap", "rate")] for one in json.loads(shown.out)["contrasts"]]
        for shown in (played, again)
    ]
    assert figures[0] == figures[1]
    assert figures[0]


@pytest.mark.usefixtures("study")
def test_an_export_without_a_format_is_told_which_there_are(gyges: Gyges, tmp_path: Path) -> None:
    assert gyges("run", "walks", "--agent", "faker").code == 0
    shown = gyges("export", "latest", str(tmp_path / "walks"))
    assert shown.code == 2
    assert "jsonl, csv" in shown.err
