"""That media went around a tunnel: none was seen in it, and what stopped it there.

Silence at the tunnel's taps counts because canaries crossed them and they dropped
nothing; where that is not so, the run is inconclusive for that reason (absence.py).
"""

from collections.abc import Iterable, Iterator

from results.schema import CallResult, Outcome, PairOutcome
from results.tunnelling.tunnels import Tunnel
from results.tunnelling.vpn import Findings, Remark, Scenery, taps_within
from results.words import listed


def around_tunnels(scenery: Scenery) -> Findings:
    """For each VPN user of a call whose media is not in the tunnel, that it is not."""
    return Findings(
        remarks=tuple(
            Remark(text)
            for name, call in scenery.calls.items()
            for text in _absences(scenery, name, call)
        )
    )


def _absences(scenery: Scenery, name: str, call: CallResult) -> Iterator[str]:
    passed = {seen.tap.name for path in scenery.paths_of(name) for seen in path.sightings}
    for tunnel, client in scenery.members(call):
        taps = taps_within(scenery, tunnel, client)
        if passed and not passed & set(taps):
            yield (
                f"no media in the tunnel of {client}: none at {listed(taps)}, which canaries "
                f"crossed; {_why(scenery, tunnel, client, call.pairs)}"
            )


def _why(scenery: Scenery, tunnel: Tunnel, client: str, pairs: Iterable[PairOutcome]) -> str:
    """What became of the pairs with the client's address in the tunnel."""
    address = str(tunnel.vpn.ends()[client])
    own = [pair for pair in pairs if address in (pair.local.address, pair.remote.address)]
    tried = [pair for pair in own if pair.outcome is not Outcome.NOT_ATTEMPTED]
    if not tried:
        return "pairs with its address there were not attempted"
    refused = [pair for pair in tried if pair.outcome is Outcome.REFUSED and pair.by]
    if not refused:
        outcomes = dict.fromkeys(str(pair.outcome) for pair in tried)
        return f"pairs with its address there: {listed(list(outcomes))}"
    devices = dict.fromkeys(pair.by for pair in refused if pair.by)
    by = (_rules(scenery, device, refused) for device in devices)
    return f"pairs with its address there were refused by {', '.join(by)}"


def _rules(scenery: Scenery, device: str, refused: Iterable[PairOutcome]) -> str:
    """The rules of a device that refused pairs, and how many packets each counted."""
    rules = dict.fromkeys(pair.rule or pair.because for pair in refused if pair.by == device)
    counted = scenery.counted.get(device, {})
    names = [f"{rule} ({counted[rule]} counted)" if rule in counted else rule for rule in rules]
    return f"{device}: {listed(names)}"
