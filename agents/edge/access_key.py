"""Requests of trusted services, signed with the resource's access key (HMAC-SHA256).

What is signed is ``VERB``, ``path?query`` and ``date;host;base64(sha256(body))``, on a
line each. (REST reference of Azure Communication Services, "Authentication".)
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime

from agents.edge.refusal import denied

#: How far a request's date may be from now, in seconds.
CLOCK_SKEW = 15 * 60

_SCHEME = "HMAC-SHA256"

#: What is signed besides verb and target; a client that cannot set Date sends x-ms-date.
_SIGNED = {f"{date};host;x-ms-content-sha256": date for date in ("x-ms-date", "date")}


@dataclass(frozen=True)
class Signable:
    """The parts of a request that a signature covers, as they are sent."""

    method: str
    #: Path and query, encoded.
    target: str
    host: str
    body: bytes


def sign(key: str, request: Signable, now: float) -> dict[str, str]:
    """The headers that a signed request bears; ``key`` is in base64, ``now`` since the epoch."""
    date, digest = formatdate(now, usegmt=True), content_hash(request.body)
    (signed, *_) = _SIGNED
    signature = _signature(key, request, date, digest)
    return {
        "x-ms-date": date,
        "x-ms-content-sha256": digest,
        "Authorization": f"{_SCHEME} SignedHeaders={signed}&Signature={signature}",
    }


def check(key: str, request: Signable, headers: Mapping[str, str], now: float) -> None:
    """Refuse (401) a request that was not signed with the key, or not about ``now``.

    Header names are in lower case, or the mapping takes them in any case.
    """
    signed, signature = _authorization(headers.get("authorization", ""))
    if signed not in _SIGNED:
        raise denied(f"the signed headers are not {' or '.join(_SIGNED)}")
    date, digest = headers.get(_SIGNED[signed], ""), headers.get("x-ms-content-sha256", "")
    if not _same(digest, content_hash(request.body)):
        raise denied("x-ms-content-sha256 is not the hash of the body")
    if abs(_seconds(date) - now) > CLOCK_SKEW:
        raise denied(f"its date is more than {CLOCK_SKEW // 60} minutes from now")
    if not _same(signature, _signature(key, request, date, digest)):
        raise denied("the signature is not that of the access key")


def content_hash(body: bytes) -> str:
    """SHA-256 of a body in base64, as the header x-ms-content-sha256 has it."""
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def _authorization(header: str) -> tuple[str, str]:
    """The list of signed headers and the signature of an Authorization header."""
    scheme, _, parameters = header.partition(" ")
    if scheme.upper() != _SCHEME:
        raise denied(f"it has no {_SCHEME} authorization")
    found = dict(part.partition("=")[::2] for part in parameters.split("&"))
    return found.get("SignedHeaders", "").lower(), found.get("Signature", "")


def _seconds(date: str) -> float:
    """A date of HTTP (RFC 9110, section 5.6.7) in seconds since the epoch."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        raise denied("it has no date") from None


def _signature(key: str, request: Signable, date: str, digest: str) -> str:
    text = f"{request.method}\n{request.target}\n{date};{request.host};{digest}"
    signature = hmac.digest(base64.b64decode(key), _octets(text), hashlib.sha256)
    return base64.b64encode(signature).decode()


def _same(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(_octets(one), _octets(other))


def _octets(text: str) -> bytes:
    """What came over the wire, where it was not UTF-8 too."""
    return text.encode(errors="surrogateescape")
