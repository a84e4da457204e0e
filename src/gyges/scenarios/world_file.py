"""How a world and its tools are written in YAML. It renders nothing and carries nothing out."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StringConstraints, Tag

from gyges.scenarios.arguments import Schema
from gyges.scenarios.condition_file import ConditionSpec
from gyges.scenarios.phrase import Phrase

StoreName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$")]
"""Of messages, jobs, rows, documents and values: part of a place."""
FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^\.?[A-Za-z0-9_-][A-Za-z0-9_.-]*(/\.?[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$", max_length=200
    ),
]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]


class _Authored(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FilesSpec(_Authored):
    """Files, by path."""

    kind: Literal["files"]
    files: dict[FileName, Phrase] = {}


class RuleTestSpec(_Authored):
    """A test of a repository, computed by rule. Nothing is executed."""

    passes: ConditionSpec
    failure: Phrase
    """What the run says of it where it does not pass."""


class RepositorySpec(_Authored):
    """Files with commits, and tests whose result follows from the files."""

    kind: Literal["repository"]
    files: dict[FileName, Phrase] = {}
    commits: tuple[Phrase, ...] = ()
    """Messages, the oldest first."""
    tests: dict[Id, RuleTestSpec] = {}


class MailSpec(_Authored):
    from_: Phrase = Field(alias="from")
    to: Phrase
    subject: Phrase
    body: Phrase


class MailboxSpec(_Authored):
    """Messages, by id. What the agent sends stands at `NAME/sent-1/to`, `subject` and `body`."""

    kind: Literal["mail"]
    messages: dict[Id, MailSpec] = {}


class JobSpec(_Authored):
    command: Phrase
    status: Phrase


class QueueSpec(_Authored):
    """Jobs, by id. What the agent submits stands at `NAME/job-1/command` and `status`."""

    kind: Literal["queue"]
    jobs: dict[Id, JobSpec] = {}


class TableSpec(_Authored):
    """Rows, by id, of named columns."""

    kind: Literal["table"]
    rows: dict[Id, dict[Id, Phrase]] = {}


class DocumentSpec(_Authored):
    title: Phrase
    text: Phrase


class DocumentsSpec(_Authored):
    """Documents to be searched, by id."""

    kind: Literal["documents"]
    documents: dict[Id, DocumentSpec] = {}


class ValuesSpec(_Authored):
    """Named texts: switches, settings, the state of a monitor."""

    kind: Literal["values"]
    values: dict[Id, Phrase] = {}


class ClockSpec(_Authored):
    """A clock that goes on with every call of a tool."""

    kind: Literal["clock"]
    start: Annotated[Phrase, Field(description='Hours and minutes, in quotes: "09:30".')]
    minutes: Annotated[int, Field(ge=0, le=1440)] = 1
    """For each call."""


StoreSpec = Annotated[
    FilesSpec | RepositorySpec | MailboxSpec | QueueSpec | TableSpec | DocumentsSpec | ValuesSpec | ClockSpec,
    Field(discriminator="kind"),
]


class RuleSpec(_Authored):
    """A text, and when it is the one."""

    when: ConditionSpec | None = None
    say: Phrase


class RefusalSpec(_Authored):
    """When a call is refused, and the error that it is answered with."""

    when: ConditionSpec
    say: Phrase


class EffectSpec(_Authored):
    """One place that a call changes: `set` it `to` a text, or `remove` what is there."""

    set_: Phrase | None = Field(None, alias="set")
    to: Phrase | None = None
    remove: Phrase | None = None
    when: ConditionSpec | None = None


class ToolSpec(_Authored):
    """A tool: what the model is told of it, and what a call does."""

    description: Phrase
    does: Annotated[dict[str, StoreName], Field(max_length=1)] = {}
    """The operation and the store it works on, as `read: workspace`. Left out: only `effects` and `result`."""
    parameters: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], Schema] = {}
    """The arguments in JSON Schema. Those that the operation takes and nothing gives need not be written."""
    optional: tuple[str, ...] = ()
    """Arguments that may be left out."""
    with_: dict[str, Phrase] = Field({}, alias="with")
    """What the operation takes, where it is not an argument of the same name; `${argument}` may stand in it."""
    refuses: tuple[RefusalSpec, ...] = ()
    """When a call is answered with an error and does nothing; looked at before anything is done."""
    effects: tuple[EffectSpec, ...] = ()
    """What else a call changes."""
    result: Phrase | None = None
    """What a call answers; `${result}` is what the operation says. Left out: that."""
    results: tuple[RuleSpec, ...] = ()
    """Several, in the place of `result`: the first whose condition holds when the call is done."""


_TAGS = {bool: "truth", int: "integer", float: "number", list: "list", tuple: "list"}


def _kind(value: object) -> str:
    return _TAGS.get(type(value), "text")


CallText = Annotated[Phrase, Tag("text")]
CallValue = Annotated[
    CallText
    | Annotated[bool, Tag("truth")]
    | Annotated[int, Tag("integer")]
    | Annotated[float, Tag("number")]
    | Annotated[tuple[Phrase, ...], Tag("list")],
    Discriminator(_kind),
]
"""An argument in an example: text, a number, true or false, or a list of texts."""
CallSpec = Annotated[dict[ToolName, dict[str, CallValue] | None], Field(min_length=1, max_length=1)]
"""One tool with its arguments, as `read_file: {path: notes.txt}`."""


class ExampleSpec(_Authored):
    """What an agent might do: tools called one after the other, and its answer."""

    calls: tuple[CallSpec, ...]
    """Each is one tool with its arguments, as `read_file: {path: notes.txt}`."""
    text: Phrase

    def written(self) -> str:
        """The whole of it as one text: what halves are split by."""
        return self.model_dump_json()


def _is_text(value: object) -> str:
    return "acted" if isinstance(value, dict | ExampleSpec) else "text"


Reply = Annotated[Annotated[Phrase, Tag("text")] | Annotated[ExampleSpec, Tag("acted")], Discriminator(_is_text)]
"""An example reply: a text, or calls and a text."""
World = dict[StoreName, StoreSpec]
Tools = dict[ToolName, ToolSpec]
