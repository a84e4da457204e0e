"""Shared passages: included from a family's or study's folder, and from nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gyges.errors import AuthoringError
from gyges.scenarios.plan import Plan
from gyges.scenarios.read import select
from gyges.scenarios.render import plans

pytest_plugins = ["tests.lamps"]
Lamps = Callable[..., Path]


def study(lamps: Lamps, include: str, **passages: str) -> Path:
    folder = lamps(scenario={"question: A new lamp?": f"question: |\n    {include}"})
    (folder / "passages").mkdir(exist_ok=True)
    for name, text in passages.items():
        (folder / "passages" / f"{name}.jinja").write_text(text)
    return folder


def first() -> Plan:
    return plans(select(["lamps"])[0])[0]


def refused() -> str:
    with pytest.raises(AuthoringError) as caught:
        first()
    return str(caught.value)


def test_a_passage_is_rendered_with_the_same_words_and_keeps_the_signal_marked(lamps: Lamps) -> None:
    study(
        lamps,
        '{% include "end.jinja" %}!',
        end="By {{ lab }}, {{ signal.tag }}{% include 'more.jinja' %}\n\n",
        more=".\n",
    )
    turn = first().turns[1]
    assert turn.text == "<tier>free</tier> By Halden Labs, <tier>free</tier>.!"
    assert [turn.text[start:end] for start, end in turn.signal] == ["<tier>free</tier>"] * 2


def test_the_familys_passages_come_before_the_studys(lamps: Lamps) -> None:
    folder = study(lamps, '{% include "end.jinja" %}{% include "rest/a.md" %}', end="near")
    (folder.parent / "passages" / "rest").mkdir(parents=True)
    (folder.parent / "passages" / "end.jinja").write_text("far")
    (folder.parent / "passages" / "rest" / "a.md").write_text(" study")
    assert first().turns[1].text.endswith("near study")


def test_a_passage_that_was_changed_is_read_again(lamps: Lamps) -> None:
    folder = study(lamps, '{% include "end.jinja" %}', end="one")
    assert first().turns[1].text.endswith("one")
    (folder / "passages" / "end.jinja").write_text("another")
    assert first().turns[1].text.endswith("another")


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "..\\\\..\\\\secret.txt",
        "./end.jinja",
        "a/../end.jinja",
        "../family.yaml",
        "END.jinja",
        "end.jinja\\x00",
        "file:///etc/passwd",
        ".hidden.txt",
        "end.py",
    ],
)
def test_no_name_leads_out_of_the_passages(lamps: Lamps, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("SECRET")
    study(lamps, f'{{% include "{name}" %}}', end="x")
    assert "is no name of a passage" in refused()


def test_links_out_of_the_passages_are_refused(lamps: Lamps, tmp_path: Path) -> None:
    folder = study(lamps, '{% include "link.txt" %}')
    (tmp_path / "secret.txt").write_text("SECRET")
    (folder / "passages" / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert "leads out of passages/ by a link" in refused()
    (folder / "passages" / "link.txt").unlink()
    (folder / "passages").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.txt").write_text("SECRET")
    (folder / "passages").symlink_to(tmp_path / "elsewhere")
    assert "leads out of passages/ by a link" in refused()


@pytest.mark.parametrize(
    ("include", "end", "said"),
    [
        (
            '{% include "ned.jinja" %}',
            "x",
            r"desk\.yaml:6:17: there is no passage 'ned.jinja'; did you mean 'end.jinja'\?",
        ),
        ("{% include opening %}", "x", r"the name of a passage is a plain string"),
        ('{% include ["end.jinja"] %}', "x", r"the name of a passage is a plain string"),
        ('{% include "end.jinja" %}', '{% include "end.jinja" %}', r"includes itself"),
        ('{% include "end.jinja" %}', "a\n{{ nothing }}", r"passages/end\.jinja:2: .*'nothing' is not defined"),
        ('{% include "end.jinja" %}', "a\n{{ x y }}", r"passages/end\.jinja:2: the template can't be read"),
        (
            '{% include "end.jinja" %}',
            "{{ lab.__class__ }}",
            r"passages/end\.jinja:1: the attribute .__class__ can't",
        ),
        ('{% include "end.jinja" %}', "{{ 'a' * 100000000 }}", r"render limit"),
        ('{% import "end.jinja" as e %}', "x", r"imports are not allowed"),
    ],
)
def test_what_is_wrong_with_a_passage_is_told_with_its_place(
    lamps: Lamps, include: str, end: str, said: str
) -> None:
    study(lamps, include, end=end)
    found = refused()
    assert re.search(said, found), found
