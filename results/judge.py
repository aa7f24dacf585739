"""Judging a run folder: the same verdict on any machine, from what lies in the folder.

Needs no root and no lab, and writes nothing.
"""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from pathlib import Path
from typing import NamedTuple, TypeAlias

from cryptography.x509 import Certificate, load_pem_x509_certificate
from pydantic import ValidationError

from results import impaired
from results.absence import count_problems, foreign_captures
from results.counters import counted_by_rules
from results.evidence import Reading
from results.packets import PacketTable, read_table
from results.problems import Ground, Problem
from results.protocols.keylog import KeyLogError, read_keylog
from results.schema import Claim, Ending, Result, Run, RunFolder, RunFolderError, Seconds
from results.setup.service_keys import ServiceKeyError, ServiceKeys, read_service_keys
from results.shown import Evidence
from results.tunnelling.tunnels import tunnels_of
from results.verdict import Judgement, decide, flows_of
from results.wire.capture import CaptureError
from results.wire.captures import read_capture
from topologies.spec import Role, Tap

#: Call -> user -> why that one gave it up.
Lost: TypeAlias = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Judged:
    """The result of a run, and what it was read from."""

    run: Run
    ending: Ending | None
    reading: Reading
    evidence: Evidence
    judgement: Judgement
    result: Result


def judge(folder: Path) -> Result:
    """The result of a run, read from its folder; RunFolderError when there is none at all."""
    return examine(folder).result


def examine(folder: Path) -> Judged:
    """Judge a run, and keep what its result was read from.

    Whatever is wrong with captures, keys or events makes a result that says so.
    Raises RunFolderError when there is no run folder at all.
    """
    run_folder = RunFolder(folder)
    run = run_folder.read_run()
    problems = _folder_problems(run_folder)
    table = _read_captures(run_folder, run, problems)
    keys = _read_keys(run_folder, run, problems)
    ending = _read_ending(run_folder, problems)
    problems += foreign_captures(table)
    problems += count_problems(table, ending) if ending else []
    claims = _read_claims(run_folder, run, problems)
    counted = counted_by_rules(ending)
    authority = _read_authority(run_folder, problems)
    reading = Reading(
        table,
        run,
        keys.tls,
        keys.dtls,
        counted,
        keys.service,
        authority,
        keys.front_ends,
        ending.outages if ending else (),
    )
    evidence = reading.evidence()
    problems += impaired.count_problems(run.network, ending, evidence.crossed) if ending else []
    lost = _read_lost(run_folder, run)
    problems += _lost_problems(lost)
    judgement = decide(run, evidence, claims, problems)
    result = _result(run, evidence, judgement, _seconds(run_folder, ending), lost)
    return Judged(run, ending, reading, evidence, judgement, result)


class _Keys(NamedTuple):
    tls: dict[str, dict[bytes, bytes]]
    dtls: dict[bytes, bytes]
    service: ServiceKeys | None
    #: Of TLS, by front end, where the service has several regions.
    front_ends: dict[str, dict[bytes, bytes]]


def _folder_problems(folder: RunFolder) -> list[Problem]:
    try:
        why = folder.why_incomplete()
    except RunFolderError as error:
        why = str(error)
    return [Problem(Ground.FOLDER, f"the run folder is not whole: {why}")] if why else []


def _read_captures(folder: RunFolder, run: Run, problems: list[Problem]) -> PacketTable:
    """The packets of all captures that can be read."""
    captures = {tap: folder.capture(tap.name) for tap in run.network.taps()}
    tunnels = tunnels_of(run.network)
    try:
        return read_table(captures, tunnels)
    except CaptureError:
        return read_table(_readable(captures, folder, problems), tunnels)


def _readable(
    captures: Mapping[Tap, Path], folder: RunFolder, problems: list[Problem]
) -> dict[Tap, Path]:
    good = {}
    for tap, path in captures.items():
        try:
            read_capture(path)
            good[tap] = path
        except CaptureError as error:
            problems.append(_problem(Ground.CAPTURE, folder, error))
    return good


def _read_keys(folder: RunFolder, run: Run, problems: list[Problem]) -> _Keys:
    keys = _Keys({}, {}, _read_service_keys(folder, problems) if run.tokens else None, {})
    for user in _users(run):
        try:
            keys.tls[user] = read_keylog(folder.keys(user, "tls"))
            keys.dtls.update(read_keylog(folder.keys(user, "dtls")))
        except KeyLogError as error:
            problems.append(_problem(Ground.KEYS, folder, error))
    _read_front_end_keys(folder, run, keys, problems)
    return keys


def _read_front_end_keys(folder: RunFolder, run: Run, keys: _Keys, problems: list[Problem]) -> None:
    for host in run.network.with_role(Role.FRONT_END) if run.network.regions else ():
        try:
            keys.front_ends[host.name] = read_keylog(folder.keys(host.name, "tls"))
        except KeyLogError as error:
            problems.append(_problem(Ground.KEYS, folder, error))


def _read_service_keys(folder: RunFolder, problems: list[Problem]) -> ServiceKeys | None:
    try:
        return read_service_keys(folder.service_keys)
    except ServiceKeyError as error:
        problems.append(_problem(Ground.KEYS, folder, error))
        return None


def _read_authority(folder: RunFolder, problems: list[Problem]) -> Certificate | None:
    """The certificate of the run's own authority; None where it has none."""
    if not folder.authority.exists():
        return None
    try:
        return load_pem_x509_certificate(folder.authority.read_bytes())
    except ValueError:
        problems.append(Problem(Ground.KEYS, "ca.pem is no certificate"))
        return None


def _users(run: Run) -> list[str]:
    """Who takes part in the planned calls, each once."""
    return list(dict.fromkeys(user for call in run.calls for user in (call.caller, call.callee)))


def _read_ending(folder: RunFolder, problems: list[Problem]) -> Ending | None:
    try:
        return folder.read_ending()
    except RunFolderError as error:
        problems.append(_problem(Ground.FOLDER, folder, error))
        return None


def _read_claims(
    folder: RunFolder, run: Run, problems: list[Problem]
) -> dict[str, dict[str, Claim]]:
    """The claim of each user in each call, and after each restart of its ICE."""
    claims: dict[str, dict[str, Claim]] = {}
    for user in _users(run):
        try:
            for claim in folder.read_claims(user):
                claims.setdefault(_restart_of(claims, claim.call, user), {})[user] = claim
        except (JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValidationError):
            text = f"events/{user}.jsonl cannot be read: it is not one JSON object a line"
            problems.append(Problem(Ground.NO_CLAIM, text))
    return claims


def _restart_of(claims: Mapping[str, Mapping[str, Claim]], call: str, user: str) -> str:
    """The id of a call, or of its next restart where a user has claimed something of it."""
    ids = (f"{call}#{number}" if number else call for number in itertools.count())
    return next(name for name in ids if user not in claims.get(name, {}))


def _read_lost(folder: RunFolder, run: Run) -> Lost:
    """Call -> who gave it up -> why, as far as events can be read."""
    lost: Lost = {}
    for user in _users(run):
        with contextlib.suppress(JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
            for call, why in folder.read_lost(user):
                lost.setdefault(call, {})[user] = why
    return lost


def _lost_problems(lost: Lost) -> Iterator[Problem]:
    for call, users in lost.items():
        for user, why in users.items():
            yield Problem(Ground.CALL, f"{user} gave up call {call}: {why}")


def _problem(ground: Ground, folder: RunFolder, error: Exception) -> Problem:
    """An error in words that are the same wherever the folder lies."""
    text = str(error).replace(f"{folder.path}/", "")
    return Problem(ground, text.replace(str(folder.path), "the run folder"))


def _seconds(folder: RunFolder, ending: Ending | None) -> Seconds:
    """The durations that were stored right after the run, or what is known of them."""
    try:
        stored = folder.read_result()
    except RunFolderError:
        stored = None
    if stored:
        return stored.seconds
    known = ending.seconds if ending else {}
    return Seconds(boot=known.get("boot"), call=known.get("call"))


def _result(
    run: Run, evidence: Evidence, judgement: Judgement, seconds: Seconds, lost: Lost
) -> Result:
    return Result.model_validate(
        {
            "schema": 1,
            "scenario": run.scenario,
            "verdict": judgement.verdict,
            "reason": judgement.reason,
            "signalling_flows": flows_of(evidence.signalling),
            "media_flows": flows_of(evidence.media),
            "unsupported": evidence.unsupported,
            "calls": tuple(
                call.result.model_copy(update={"lost": lost.get(call.call.id, {})})
                for call in evidence.calls
            ),
            "citations": judgement.citations,
            "run": run.run,
            "seconds": seconds,
        }
    )
