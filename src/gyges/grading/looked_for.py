"""Whether somebody looks for the findings that contrasts name. It grades nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gyges.errors import Place
from gyges.grading.default import offline_grader
from gyges.scenarios.nearest import nearest
from gyges.scenarios.nodes import read_document
from gyges.scenarios.problem import Problem
from gyges.scenarios.read import FAMILY, Listed, read


def unlooked(listed: Iterable[Listed]) -> Iterator[Problem]:
    """A warning for every finding of a family that none of the graders that come with gyges looks for.

    What a run of it reveals is then unread, unless it is graded by somebody else. Raises AuthoringError.
    """
    looked_for = offline_grader().looked_for
    for found in {one.family: one for one in listed}.values():
        document = read_document(found.file.parent / FAMILY)
        for number, contrast in enumerate(read(found).shared.contrasts):
            node = document.at(["contrasts", number, "reveals"])
            place = Place(document.file, node.line, node.column)
            for finding in contrast.reveals:
                if finding not in looked_for:
                    yield Problem(
                        "warning",
                        place,
                        f"no grader of gyges looks for the finding {finding!r}: what reveals it stays unread",
                        nearest(finding, looked_for),
                    )
