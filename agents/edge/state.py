"""All that the edge knows, in memory."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from agents.edge.calls import Calls, Notice
from agents.edge.identities import Identities
from agents.edge.inboxes import Inboxes
from agents.edge.relay_access import RelayAccess
from agents.talk import say


@dataclass
class Edge:
    """Identities, calls and notifications; ``clock`` tells seconds since the epoch."""

    identities: Identities
    relays: RelayAccess
    clock: Callable[[], float] = time.time
    calls: Calls = field(default_factory=Calls)
    inboxes: Inboxes = field(default_factory=Inboxes)

    def notify(self, notices: Iterable[Notice]) -> None:
        """Tell users what they are to be told."""
        for notice in notices:
            self.inboxes.put(notice)
            message = notice.message
            say("notified", user=notice.to, type=message["type"], call=message["call"])
