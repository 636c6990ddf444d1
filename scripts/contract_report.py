"""Ask every class of every library for every property of the contract, and write docs/contract.md.

python scripts/contract_report.py [PAGE]     (default: docs/contract.md; exit code 1 if a property does not hold)
"""

import sys
from importlib import import_module
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tests"), str(TOP / "tests" / "contract")]


def main(path: str) -> int:
    import_module("wordnet_files").provide_wordnet()
    report = import_module("contract_page")
    results = list(report.results_of(report.class_names()))
    Path(path).write_text(report.page(results), encoding="utf-8")
    broken = [line for result in results for line in result.broken]
    print("\n".join([*broken, f"{len(results)} classes asked, {len(broken)} properties broken: {path}"]))
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else str(TOP / "docs" / "contract.md")))
