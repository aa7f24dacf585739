"""The user who called sudo: what a sudo run writes is theirs."""

import os
from typing import NamedTuple


class Caller(NamedTuple):
    """Numbers of a user and a group."""

    uid: int
    gid: int


def caller() -> Caller | None:
    """Who called sudo; None where nobody did (sudo(8), SUDO_UID and SUDO_GID)."""
    uid, gid = os.environ.get("SUDO_UID"), os.environ.get("SUDO_GID")
    return Caller(int(uid), int(gid)) if os.geteuid() == 0 and uid and gid else None
