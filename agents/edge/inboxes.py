"""What users are to be told, until they ask for it."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from agents.edge.calls import Notice


class Inboxes:
    """Each user's notifications, numbered from 1."""

    def __init__(self, messages: Mapping[str, list[dict[str, Any]]] | None = None) -> None:
        """Begin with these ``messages`` of users."""
        self._messages = defaultdict[str, list[dict[str, Any]]](list, messages or {})
        self._news: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def put(self, notice: Notice) -> None:
        """Keep a notice for its user, and wake whoever waits for it."""
        messages = self._messages[notice.to]
        messages.append({"id": len(messages) + 1, **notice.message})
        self._news[notice.to].set()

    @property
    def messages(self) -> Mapping[str, list[dict[str, Any]]]:
        """All that users were to be told, in the order of its coming."""
        return self._messages

    async def beyond(self, user: str, number: int, seconds: float) -> list[dict[str, Any]]:
        """The notifications beyond a number; none if none came for so many seconds."""
        if len(self._messages[user]) <= number:
            self._news[user].clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news[user].wait(), seconds)
        return self._messages[user][number:]
