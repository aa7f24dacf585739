"""Servers that die in the midst of a run: what is planned, and what the lab knows of it."""

from pydantic import Field

from results.record import Record
from topologies.spec import Name


class Death(Record):
    """A server of the service that dies during a run, once a call has had so much media."""

    host: Name
    call: str
    #: Whole seconds of media that the call's caller has received by then; 0 is when the
    #: callee has been told of the invite, and has not answered.
    after_seconds: int = Field(ge=0)
    #: Whether it is started anew, with what it had stored.
    returns: bool


class Outage(Record):
    """A server that was away, as the lab knows it; seconds since the epoch."""

    host: str
    #: Before it was told to die, and when it was gone for certain.
    killed: float
    gone: float
    #: Before it was started anew; None if it was not.
    started: float | None
