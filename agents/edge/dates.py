"""Times as the API writes them."""

from datetime import UTC, datetime


def iso_8601(seconds: float) -> str:
    """A time in seconds since the epoch as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()
