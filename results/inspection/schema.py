"""The JSON schema of an inspection: ``python -m results.inspection.schema`` stores it."""

import json
from pathlib import Path

from results.inspection.records import Inspection

#: The stored schema; a test compares it with :func:`inspection_schema`.
STORED = Path(__file__).with_name("inspection.schema.json")


def inspection_schema() -> str:
    """The schema as text (JSON Schema draft 2020-12)."""
    schema = Inspection.model_json_schema(by_alias=True, mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    STORED.write_text(inspection_schema(), encoding="utf-8")
