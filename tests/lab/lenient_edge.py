"""The stage of runs whose edge takes every relay for its own: it refuses no invite.

Run as ``python -m tests.lab.lenient_edge``.
"""

from typing import Any

from scenarios import cast, stage


class LenientCast(cast.Cast):
    """Tells the front end that a third party's relays are the service's, too."""

    def _keepers_own(self) -> dict[str, Any]:
        own = super()._keepers_own()
        others = [str(host.address) for host in self._lab.network.third_party_relays()]
        return {**own, "relay_addresses": [*own["relay_addresses"], *others]}


if __name__ == "__main__":
    stage.Cast = LenientCast  # type: ignore[attr-defined]
    stage._serve()
