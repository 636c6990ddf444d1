"""Writes metadata.json anew from the schema of the config; with the name of an image, prints the template's file.

python scripts/engines/flex_template/spec.py [IMAGE]
"""

import json
import sys
from pathlib import Path

from pipeline.engines.adapters import dataflow_template

METADATA = Path(__file__).with_name("metadata.json")


def main(arguments: list[str]) -> None:
    if arguments:
        print(json.dumps(dataflow_template.spec(arguments[0]), indent=2))
        return
    METADATA.write_text(json.dumps(dataflow_template.metadata(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
