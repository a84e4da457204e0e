"""A report is bound to its plan, and says what ran, what was left out, and who answered and graded."""

from __future__ import annotations

import pytest

from gyges.analysis.provenance import Provenance, Witness, fingerprint
from gyges.analysis.sentences import conduct
from gyges.scenarios.plan import Contrast
from gyges.transcripts.grades import BehaviourShown, Grade, Ungraded
from gyges.transcripts.manifest import FamilyContrast, Manifest, PlannedAgent, PlannedScenario
from gyges.transcripts.record import Call, Episode, EpisodeKey, Outcome

CONTRAST = Contrast("training", "deployment", "complies", "positive", ())


def manifest(samples: int = 2, source: str = "played", **more: str) -> Manifest:
    return Manifest.model_validate(
        {
            "run": "r",
            "created": "2026-01-01T00:00:00Z",
            "source": source,
            "command": "gyges run f",
            "seed": 1,
            "samples": samples,
            "scenarios": tuple(
                PlannedScenario(name=f"f/{i}", family="f", variant="base", sha256="", behaviour=None)
                for i in range(2)
            ),
            "agents": (PlannedAgent(name="a", model="openai/x", base_url="", graph="", profile="{}"),),
            "contrasts": (FamilyContrast(family="f", contrast=CONTRAST),),
            "versions": {"gyges": "0.1"},
            **more,
        }
    )


def episode(scenario: int, outcome: Outcome = Outcome.COMPLETED, at: float = 1e9, model: str = "x-1") -> Episode:
    key = EpisodeKey("a", f"f/{scenario}", "base", "training", 0)
    return Episode(key, "f", outcome, "", (), at, at + 5, model)


def call(response: bytes | None) -> Call:
    return Call("e", 0, 0, b"{}", response, 200, "", 0.0, 1.0)


def seen(*episodes: Episode, plan: Manifest | None = None) -> Provenance:
    witness = Witness()
    for one in episodes:
        witness.see(one, [call(b'{"system_fingerprint": "fp_1"}')])
    witness.see_grade(Grade("e", "behaviour", "decision", "2", BehaviourShown("complies")))
    witness.see_grade(Grade("f", "behaviour", "decision", "2", Ungraded("truncated")))
    return witness.provenance(plan or manifest(), "first")


def test_the_hash_binds_everything_that_was_planned_and_nothing_else() -> None:
    plan = manifest()
    assert Manifest.model_validate_json(plan.model_dump_json()).sha256() == plan.sha256()
    assert manifest(samples=3).sha256() != plan.sha256()
    assert manifest(command="gyges run g").sha256() != plan.sha256()


def test_a_field_that_is_added_later_leaves_old_hashes_alone() -> None:
    dumped = manifest().model_dump(mode="json")
    del dumped["planted"]
    assert Manifest.model_validate(dumped).sha256() == manifest().sha256()


def test_what_was_planned_stands_beside_what_ran() -> None:
    told = seen(episode(0), episode(0, Outcome.TRUNCATED))
    (agent,) = told.agents
    assert (told.planned, told.played, agent.outcomes) == (8, 2, {"completed": 1, "truncated": 1})
    assert told.left_out == ("a: 6 of 8 planned episodes did not run, 1 of 2 scenarios altogether",)


def test_who_answered_is_named_with_dates() -> None:
    (agent,) = seen(episode(0), episode(1, at=2e9, model="x-2")).agents
    assert (agent.model, agent.models, agent.fingerprints) == ("openai/x", {"x-1": 1, "x-2": 1}, {"fp_1": 2})
    assert (agent.first, agent.last) == ("2001-09-09T01:46:40+00:00", "2033-05-18T03:33:25+00:00")


def test_graders_are_named_with_their_versions() -> None:
    (grader,) = seen().graders
    assert (grader.question, grader.grader, grader.version, grader.answers) == ("behaviour", "decision", "2", 2)


def test_a_pending_episode_did_not_run() -> None:
    told = seen(episode(0, Outcome.PENDING))
    assert (told.played, told.agents[0].models, told.agents[0].first) == (0, {}, None)


def test_an_agent_that_was_not_planned_is_shown_too() -> None:
    stranger = Episode(EpisodeKey("b", "f/0", "base", "training", 0), "f", Outcome.COMPLETED, "", (), 1.0, 2.0)
    assert [(agent.agent, agent.planned) for agent in seen(stranger).agents] == [("a", 8), ("b", 0)]


def test_of_an_imported_run_nothing_was_planned_or_left_out() -> None:
    told = seen(episode(0), plan=manifest(source="imported"))
    assert (told.planned, told.left_out) == (0, ())
    assert "imported: 1 episode, none planned here" in conduct(told)


@pytest.mark.parametrize(
    ("response", "found"),
    [
        (b'{"id": "1", "system_fingerprint":"fp_9"}', "fp_9"),
        (b'data: {"system_fingerprint": "fp_7"}\n\ndata: [DONE]\n', "fp_7"),
        (b'{"system_fingerprint": null}', ""),
        (b"\xff\xfe not JSON", ""),
        (None, ""),
    ],
)
def test_a_fingerprint_is_found_in_an_answer_or_a_stream(response: bytes | None, found: str) -> None:
    assert fingerprint(call(response)) == found


def test_the_words_say_all_of_it() -> None:
    words = " ".join(conduct(seen(episode(0))))
    for part in (
        manifest().sha256(),
        "gyges run f",
        "7 of 8",
        "x-1 1",
        "fp_1 1",
        "behaviour by decision 2",
        "0.1",
    ):
        assert part in words
    assert conduct(None) == ()
