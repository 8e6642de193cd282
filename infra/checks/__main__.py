"""Check the tree: ``python -m infra.checks``. Print what is wrong; exit 1 if anything is."""

import sys
from pathlib import Path

from infra.checks.bounds import file_findings, folder_findings
from infra.checks.exemptions import FILES, FOLDERS
from infra.checks.words import word_findings

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Print every finding; return the exit code."""
    found = folder_findings(ROOT, FOLDERS) + file_findings(ROOT, FILES) + word_findings(ROOT)
    for finding in found:
        sys.stderr.write(f"{finding}\n")
    sys.stdout.write("Tree: bounds and words are kept.\n" if not found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
