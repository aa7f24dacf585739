"""The JSON schema of a result, made from its model: ``python -m results.result_schema`` stores it.

``callpath schema`` prints it. Results are validated against it in the tests, and so
can anybody who reads them.
"""

import json
from pathlib import Path

from results.schema import Result

#: The stored schema; a test compares it with :func:`result_schema`.
STORED = Path(__file__).with_name("result.schema.json")

#: Names the schema; its number is that of ``schema`` in a result. No address to fetch it from.
IDENTIFIER = "urn:callpath:result:1"


def result_schema() -> str:
    """The schema as text (JSON Schema draft 2020-12)."""
    schema = Result.model_json_schema(by_alias=True, mode="serialization")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": IDENTIFIER}
    schema = {**head, **schema}
    return json.dumps(schema, indent=1) + "\n"


if __name__ == "__main__":
    STORED.write_text(result_schema(), encoding="utf-8")
