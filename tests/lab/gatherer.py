"""Gathers candidates on a host, by all ways that the service offers, and tells of it in JSON.

``python -m tests.lab.gatherer AUTHORITY USER PASSWORD``: seconds until all was gathered,
and what carries TURN. Ends when everything has been given back.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from agents import relay
from agents.ice.direct_first import DirectFirst
from agents.ice.servers import Servers
from agents.tls import client_context


async def _gather(authority: str, user: str, password: str) -> dict[str, object]:
    with TemporaryDirectory() as folder:
        context = client_context(Path(authority), Path(folder) / "keys")
        agent = DirectFirst(ice_controlling=True)
        agent.use(Servers(tuple(relay.uris("relay.service.example")), user, password, context))
        began = time.monotonic()
        await agent.gather_candidates()
        seconds = time.monotonic() - began
        transport = agent.transport
        await agent.close()
        return {"seconds": seconds, "transport": transport}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_gather(*sys.argv[1:]))) + "\n")
