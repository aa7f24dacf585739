"""A password that any tap saw crossed in clear."""

from pathlib import Path

from results.clear_text import Secret, leaks
from results.problems import Ground
from tests.results.story import ALICE, ALICE_BOB, BOB, Story, ends

SECRET = Secret("the TURN credential of alice", "8oKVbuXUlcrrkKttpe2O0HFraGc=")


def found(folder: Path, payload: bytes, *secrets: Secret) -> list[str]:
    story = Story()
    story.send(ALICE_BOB, ends(ALICE, BOB), b"nothing of note")
    story.send(ALICE_BOB, ends(ALICE, BOB), payload)
    problems = list(leaks(story.table(folder), secrets))
    assert all(problem.ground is Ground.CALL for problem in problems)
    return [problem.text for problem in problems]


def test_a_secret_in_clear_is_named_with_its_frame(tmp_path: Path) -> None:
    assert found(tmp_path, b"password=" + SECRET.value.encode(), SECRET, SECRET) == [
        "the TURN credential of alice crossed in clear (frame 2 of alice-eth0)"
    ]


def test_secrets_that_nobody_saw(tmp_path: Path) -> None:
    assert found(tmp_path, SECRET.value[1:].encode(), SECRET) == []


def test_what_is_too_short_may_be_there_by_chance(tmp_path: Path) -> None:
    assert found(tmp_path, b"short", Secret("a short one", "short")) == []
