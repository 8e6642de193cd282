"""Known vulnerabilities of what the locks name, asked of a public database by pip-audit.

Run as ``python -m infra.checks.dependencies PROGRAM [ARGUMENT…]`` with pip-audit as the program.
Exit code 0: every package was looked up and nothing is known of it; 1: something is known; 3: the
data could not be had, for some package at least, which says nothing about it.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
CLEAN, KNOWN, NOT_HAD = 0, 1, 3
SECONDS: Final = 600
SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of the packages of one lock.

    Attributes:
        asked: how many packages have an answer.
        known: a line for each vulnerability.
        unknown: packages that nothing could be learnt about, with why.
    """

    asked: int
    known: tuple[str, ...]
    unknown: tuple[str, ...]


class NotHadError(Exception):
    """The program gave no answer that could be read."""


def findings(document: Mapping[str, Any]) -> Findings:
    """Read the answer of pip-audit: a package that it skipped is one that nothing is known of."""
    known, unknown, asked = [], [], 0
    for package in document["dependencies"]:
        if "skip_reason" in package:
            unknown.append(f"{package['name']}: {package['skip_reason']}")
            continue
        asked += 1
        for one in package["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            named = " ".join([one["id"], *one.get("aliases", ())])
            known.append(f"{package['name']} {package['version']}: {named}; mended in {mended}")
    return Findings(asked, tuple(known), tuple(unknown))


def audited(program: Sequence[str], lock: Path) -> Findings:
    """Have the packages of one lock looked up.

    Raises:
        NotHadError: there is no answer, with what was said instead.
    """
    words = [*program, "--requirement", str(lock), "--require-hashes", "--disable-pip"]
    words += ["--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run(  # noqa: S603  # the program of the Makefile, the lock of the tree
            words, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotHadError(str(error)) from None
    try:
        found = findings(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        said = " ".join(done.stderr.strip().splitlines()[-1:])
        raise NotHadError(said or "its answer cannot be read") from None
    if not found.asked and not found.unknown:
        raise NotHadError("it names no package")
    return found


def audit(program: Sequence[str], locks: Sequence[Path]) -> int:
    """Look all locks up, say what was found, and return the exit code."""
    code = CLEAN
    for lock in locks:
        try:
            found = audited(program, lock)
        except NotHadError as error:
            _say(f"{lock.name}: the data could not be had: {error}")
            code = code or NOT_HAD
            continue
        for line in found.known:
            _say(f"{lock.name}: {line}")
        if found.unknown:
            _say(
                f"{lock.name}: the data could not be had for {len(found.unknown)} of "
                f"{len(found.unknown) + found.asked} packages, about which this says nothing:"
            )
            for line in found.unknown[:SHOWN]:
                _say(f"  {line}")
        elif not found.known:
            _say(f"{lock.name}: nothing is known of its {found.asked} packages")
        code = KNOWN if found.known else code or (NOT_HAD if found.unknown else CLEAN)
    return code


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(audit(sys.argv[1:], sorted(ROOT.glob("requirements*.lock"))))
