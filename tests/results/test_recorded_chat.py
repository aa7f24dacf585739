"""A call with a chat, by users with tokens, judged as it was; and what must not pass."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from results.judge import judge
from results.packets import read_table
from results.protocols.keylog import read_keylog
from results.schema import RunFolder, Verdict
from results.setup.service_keys import ServiceKeys, read_service_keys
from results.setup.signalling import Act, Signalling, read_signalling
from results.tracing.places import places_of
from tests.results.recorded import before_ipv6, change_json, frames, reseal, unpack, write
from tests.results.story import ends, ethernet, udp


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(tmp_path_factory.mktemp("recorded"), "chat_in_call")


@pytest.fixture
def folder(unpacked: Path, tmp_path: Path) -> Path:
    """The stored run, for a test to change as it likes."""
    return shutil.copytree(unpacked, tmp_path / "run")


def signalling_of(folder: Path) -> Signalling:
    run_folder = RunFolder(folder)
    run = run_folder.read_run()
    table = read_table({tap: run_folder.capture(tap.name) for tap in run.network.taps()})
    keys = {user: read_keylog(run_folder.keys(user, "tls")) for user in ("alice", "eve")}
    service = read_service_keys(run_folder.service_keys)
    return read_signalling(table, places_of(run.network), keys, service)


def judged(folder: Path) -> tuple[Verdict, str]:
    reseal(folder)
    result = judge(folder)
    return result.verdict, result.reason


def test_the_run_passes(folder: Path) -> None:
    stored = RunFolder(folder).read_result()
    result = judge(folder)
    assert before_ipv6(result) == stored
    assert result.verdict is Verdict.PASS
    assert "4 chat messages" in result.reason
    assert sum("chat:" in citation.what for citation in result.citations) == 8


def test_both_hear_what_the_other_says(folder: Path) -> None:
    chat = [one for one in signalling_of(folder).messages if one.act is Act.CHAT]
    said = [(one.user, one.text) for one in chat if not one.told]
    assert said == [
        ("alice", "Can you see the plan?"),
        ("eve", "Yes."),
        ("alice", "Page 2!"),
        ("eve", "Got it."),
    ]
    assert {(one.user, one.text) for one in chat if one.told} == {
        ("eve" if user == "alice" else "alice", text) for user, text in said
    }


def test_another_chat_was_planned(folder: Path) -> None:
    change_json(folder / "run.json", lambda run: run["calls"][0].update(chat=["Hello?"]))
    verdict, reason = judged(folder)
    assert verdict is Verdict.FAIL
    assert "in the chat of call 1-alice-eve alice said 'Can you see the plan?'" in reason


def test_tokens_that_the_service_did_not_sign(folder: Path) -> None:
    path = RunFolder(folder).service_keys
    other = ECKey.generate_key("P-256").as_dict(private=False)
    ServiceKeys(tokens=other, access="a2V5").write(path)
    verdict, reason = judged(folder)
    assert verdict is Verdict.FAIL
    for user in ("alice", "eve"):
        assert f"of {user} with a token that the service did not sign" in reason


def test_users_without_tokens(folder: Path, tmp_path: Path) -> None:
    """A run of the time before tokens, judged as one of today."""
    old = unpack(tmp_path, "intranet")
    shutil.copy(RunFolder(folder).service_keys, RunFolder(old).service_keys)
    change_json(old / "run.json", lambda run: run.update(tokens=True))
    verdict, reason = judged(old)
    assert verdict is Verdict.FAIL
    for user in ("alice", "bob", "bea"):
        assert f"of {user} without a token" in reason


def _gone(path: Path) -> None:
    path.unlink()


def _of_no_curve(path: Path) -> None:
    change_json(path, lambda keys: keys["tokens"].update(crv="P-1"))


@pytest.mark.parametrize("harm", [_gone, _of_no_curve])
def test_without_the_services_key_nothing_is_proven(
    folder: Path, harm: Callable[[Path], None]
) -> None:
    harm(RunFolder(folder).service_keys)
    verdict, reason = judged(folder)
    assert verdict is Verdict.INCONCLUSIVE
    assert "keys/service.json" in reason


@pytest.mark.parametrize(
    "what", ["the access key", "the token of alice", "the TURN credential of eve"]
)
def test_a_secret_that_crossed_in_clear(folder: Path, what: str) -> None:
    (value,) = {one.value for one in signalling_of(folder).secrets if one.what == what}
    found = frames(folder, "alice-eth0")
    packet = udp(ends("10.10.0.11:4000", "10.10.0.12:4000"), value.encode())
    middle = found[len(found) // 2]
    leaked = middle._replace(data=ethernet(None, None, 0x0800, packet))
    write(folder, "alice-eth0", sorted([*found, leaked], key=lambda frame: frame.time))
    _, reason = judged(folder)
    assert f"{what} crossed in clear (frame" in reason
