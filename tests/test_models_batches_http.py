"""What the answers of all providers' batches have in common is read alike, and nothing else is made of it."""

from __future__ import annotations

import pytest

from gyges.models.batches import Result
from gyges.models.batches_http import good, name_of, results_in
from gyges.models.provider import CallFailed, Received, Trouble
from gyges.models.wire import Json


def result(text: str, found: Json) -> Result:
    return Result(str(found.get("id")), Received(200, (), text.encode("utf-8", "surrogatepass")))


def test_every_line_is_a_result_with_its_own_bytes() -> None:
    body = b'{"id": "a", "x": 1.0}\n\n  \n{"id":"b"}\n'
    found = results_in(Received(200, (), body), result)
    assert [(one.id, one.received.body if one.received else b"") for one in found] == [
        ("a", b'{"id": "a", "x": 1.0}'),
        ("b", b'{"id":"b"}'),
    ]


@pytest.mark.parametrize("line", [b"{", b"[1]", b"5", b'{"id": "a"} and more', b"[" * 100_000])
def test_a_line_that_is_no_object_is_garbled_and_no_result(line: bytes) -> None:
    with pytest.raises(CallFailed) as failure:
        results_in(Received(200, (), b'{"id": "a"}\n' + line), result)
    assert failure.value.trouble is Trouble.GARBLED


def test_a_batch_without_an_id_and_a_failed_answer_are_no_batch() -> None:
    assert name_of({"id": "batch-1"}) == "batch-1"
    with pytest.raises(CallFailed):
        name_of({})
    assert good(Received(201, (), b"{}")).status == 201
    with pytest.raises(CallFailed):
        good(Received(404, (), b"{}"))
