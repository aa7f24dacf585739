"""Processes are started, heard, and their death is noticed (no namespaces needed)."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from topologies.processes import PATIENCE, Process, ProcessError, Processes, Program


@pytest.fixture
def processes() -> Iterator[Processes]:
    processes = Processes()
    yield processes
    processes.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def _sh(script: str, ready: str | None = None, stdout: Path | None = None) -> Program:
    return Program(name="shell", argv=("sh", "-c", script), ready=ready, stdout=stdout)


def _spawn(processes: Processes, program: Program, log: Path) -> Process:
    return processes.spawn(program, None, log.with_suffix(".events"), log)


def test_a_program_is_ready_when_it_says_its_line(processes: Processes, log: Path) -> None:
    process = _spawn(processes, _sh("echo one; echo listening; read x", "^listening"), log)
    processes.wait_ready([process])
    assert process.heard == ["one", "listening"]
    assert log.read_text() == "one\nlistening\n"
    processes.end([process])
    assert processes.exits() == {"shell": -signal.SIGTERM}


def test_standard_output_can_be_data(processes: Processes, log: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = _spawn(processes, _sh("echo bytes; echo words >&2; read x", "words", data), log)
    processes.wait_ready([process])
    assert data.read_text() == "bytes\n"
    assert process.heard == ["words"]


def test_the_death_of_a_process_is_named(processes: Processes, log: Path) -> None:
    process = _spawn(processes, _sh("echo out of luck; exit 7", "never"), log)
    with pytest.raises(ProcessError, match="shell died with exit code 7: out of luck"):
        processes.wait_ready([process])


def test_a_program_that_is_not_there_dies_at_once(processes: Processes, log: Path) -> None:
    program = Program(name="ghost", argv=("/no/such/program",), ready="never")
    process = _spawn(processes, program, log)
    with pytest.raises(ProcessError, match="ghost died with exit code 127"):
        processes.wait_ready([process])


def test_waiting_is_bounded_and_names_what_did_not_come(processes: Processes, log: Path) -> None:
    process = _spawn(processes, _sh("echo still waking up; read x", "never"), log)
    processes.wait(lambda: bool(process.heard), 10, "its first words")
    with pytest.raises(ProcessError) as error:
        processes.wait(lambda: False, 0.2, "the moon")
    assert str(error.value) == (
        "waited 0.2 s for the moon, in vain; last words of shell: still waking up"
    )


def test_a_process_that_has_ended_meanwhile_can_be_asked_to_end(
    processes: Processes, log: Path
) -> None:
    """Its end may be news to us only after we asked: it has no process id any more by then."""
    process = _spawn(processes, _sh("exit 0"), log)
    while Path(f"/proc/{process.pid}").exists():
        pass
    assert process.exit_code is None
    processes.end([process])
    assert process.exit_code == 0


@pytest.mark.parametrize("renewed", [True, False])
def test_who_goes_on_talking_is_waited_for(
    processes: Processes, log: Path, monkeypatch: pytest.MonkeyPatch, *, renewed: bool
) -> None:
    process = _spawn(processes, _sh("echo 0; while read line; do echo $line; done"), log)
    processes.wait(lambda: len(process.heard) == 1, PATIENCE, "the first line")
    seconds = 0  # a clock of our own: it goes on by one with each line
    monkeypatch.setattr("topologies.processes.time.monotonic", lambda: seconds)

    def nine_lines() -> bool:
        nonlocal seconds
        if len(process.heard) > seconds:
            seconds += 1
            process.send({"do": "talk"})
        return seconds == 9

    def wait() -> None:
        processes.wait(nine_lines, 5, "nine lines", speaker=process if renewed else None)

    if renewed:
        wait()
    else:
        with pytest.raises(ProcessError, match="waited 5 s for nine lines, in vain"):
            wait()
    processes.end([process])


def test_orders_are_lines(processes: Processes, log: Path) -> None:
    process = _spawn(processes, _sh('echo ready; read order; echo "$order"; read x', "ready"), log)
    processes.wait_ready([process])
    process.send({"do": "call"})
    processes.wait(lambda: len(process.heard) == 2, 5, "the order to come back")
    assert process.heard[1] == '{"do": "call"}'
    processes.end([process])
