"""What is known of graders' errors, stored by `gyges calibrate` in `grading/calibration/`. It calibrates nothing.

One file a grader: JSON, with the version that was calibrated and, for a judge, the models. Figures of another
version are another grader's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from gyges.errors import AuthoringError, Place
from gyges.study import places, study
from gyges.transcripts.grade_sets import KnownErrors


class StoredErrors(BaseModel):
    """The file: whose errors, and how many of which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grader: str
    version: str
    judges: tuple[str, ...] = ()
    """The models, for a judge."""
    errors: tuple[KnownErrors, ...]


def errors_of(grader: str, version: str, judges: Sequence[str] = ()) -> tuple[KnownErrors, ...]:
    """The stored errors of this grader in this version with these judges; none where it was never calibrated.

    Those of the study come before the library's: of each finding the first that may be gone by counts. Raises
    AuthoringError for a file that can't be read.
    """
    found: list[KnownErrors] = []
    for folder in places("grading"):
        path = folder / "calibration" / _file(grader, judges)
        if path.is_file():
            stored = read_errors(path)
            if (stored.grader, stored.version, stored.judges) == (grader, version, tuple(judges)):
                found += (one for one in stored.errors if one not in found)
    return tuple(found)


def stale(grader: str, version: str, judges: Sequence[str] = ()) -> tuple[Path, str] | None:
    """A stored calibration of this grader in another version, and which, where there is none of this one."""
    if errors_of(grader, version, judges):
        return None
    for folder in places("grading"):
        path = folder / "calibration" / _file(grader, judges)
        if path.is_file() and (other := read_errors(path).version) != version:
            return path, other
    return None


def read_errors(path: Path) -> StoredErrors:
    """Raises AuthoringError."""
    try:
        return StoredErrors.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, ValidationError) as error:
        what = f"this is no calibration ({type(error).__name__})"
        raise AuthoringError(Place(path), what, "calibrate again: gyges calibrate GRADER") from error


def store_errors(errors: StoredErrors, folder: Path | None = None) -> Path:
    """Write the errors where graders look for them: in the study, or in `folder`. Returns the file.

    What is there already of other findings and families stays, if it is of the same version and judges.
    """
    where = folder or study() / "grading" / "calibration"
    where.mkdir(parents=True, exist_ok=True)
    path = where / _file(errors.grader, errors.judges)
    errors = errors.model_copy(update={"errors": (*errors.errors, *_others(path, errors))})
    text = json.dumps(errors.model_dump(mode="json"), indent=1, sort_keys=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
    return path


def _others(path: Path, errors: StoredErrors) -> Iterator[KnownErrors]:
    """What is stored already of the same grader, of what these say nothing of."""
    if not path.is_file():
        return
    there = read_errors(path)
    if (there.grader, there.version, there.judges) == (errors.grader, errors.version, errors.judges):
        new = {(one.finding, one.family) for one in errors.errors}
        yield from (one for one in there.errors if (one.finding, one.family) not in new)


def _file(grader: str, judges: Sequence[str]) -> str:
    return re.sub(r"[^\w.-]+", "-", "-".join([grader, *judges])) + ".json"
