"""The service's own keys of a run, as they lie in its folder: keys/service.json."""

from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from pydantic import ValidationError, field_validator

from results.record import Record


class ServiceKeyError(ValueError):
    """Keys that are missing or malformed. Speaks to a person."""


class ServiceKeys(Record):
    """What the service's tokens are checked with, and what trusted services sign with."""

    #: The public key, as a JSON Web Key (RFC 7517).
    tokens: dict[str, Any]
    #: In base64; it ended with the run.
    access: str

    @field_validator("tokens")
    @classmethod
    def _is_a_key(cls, tokens: dict[str, Any]) -> dict[str, Any]:
        try:
            ECKey.import_key(tokens)
        except (JoseError, KeyError, ValueError) as error:
            raise ValueError(f"it is no elliptic curve key ({error})") from None
        return tokens

    def write(self, path: Path) -> None:
        """Store them."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_service_keys(path: Path) -> ServiceKeys:
    """The keys of a run; ServiceKeyError when the file is missing or malformed."""
    try:
        return ServiceKeys.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ServiceKeyError(f"{path} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ServiceKeyError(f"{path}: {where}: {first['msg']}") from None
