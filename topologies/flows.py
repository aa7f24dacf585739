"""The flow between two segments."""

from topologies.spec import Flow, Segment


def flow_between(origin: Segment, target: Segment) -> Flow | None:
    """The flow that a host in ``origin`` opens when it initiates toward ``target``.

    None where the documents give no number (for instance service toward
    customer). Flow 2' depends on a VPN and is not decided by segments alone.
    Source: call-flow-topologies, "Flow descriptions".
    """
    return _FLOWS.get((origin, target))


_FLOWS = {
    (Segment.CUSTOMER, Segment.INTERNET): Flow.F2,
    (Segment.INTERNET, Segment.SERVICE): Flow.F3,
    (Segment.CUSTOMER, Segment.SERVICE): Flow.F4,
    (Segment.CUSTOMER, Segment.CUSTOMER): Flow.F5,
    (Segment.INTERNET, Segment.INTERNET): Flow.F6,
}
