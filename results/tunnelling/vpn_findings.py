"""All findings about VPNs, deaths and credentials, in the order in which a verdict tells them."""

from results.deaths import of_deaths
from results.expiries import of_expiries
from results.mid_call import in_mid_call
from results.tunnelling.bypass import around_tunnels
from results.tunnelling.detour import in_tunnels
from results.tunnelling.vpn import Findings, Scenery, tied_to_outside, together


def findings_of(scenery: Scenery) -> Findings:
    """What went around tunnels, what in them, what changed in mid-call, what carried it."""
    read = (around_tunnels, in_tunnels, in_mid_call, of_deaths, of_expiries, tied_to_outside)
    return together(findings(scenery) for findings in read)
