"""An authored YAML file as a checked value, or an error that names the place. It knows no rule."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from gyges.errors import AuthoringError, Place

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file at `path` as a `model`. Raises AuthoringError with the file, and line and column where known."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return model.model_validate(YAML(typ="safe").load(path.read_bytes()))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        raise AuthoringError(place, f"this is no YAML: {error.problem}", "mend the file") from error
    except YAMLError as error:
        raise AuthoringError(Place(path), "this is no YAML", "mend the file") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise AuthoringError(Place(path), f"'{where}': {first['msg']}", "mend the file") from error
