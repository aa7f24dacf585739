"""The base of everything that a run folder stores."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen data; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
