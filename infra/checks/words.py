"""Words that the code does not use, because the field has one for the same thing."""

import re
from pathlib import Path

from infra.checks.banned_words import BANNED
from infra.checks.sources import CODE, files

TEXTS = (*CODE, "docs", "ui/src", "ui/tests")
SUFFIXES = (".py", ".md", ".ts", ".tsx", ".yaml", ".sh")
NOT_READ = (
    "bench/results.md",
    "docs/adr/",
    "infra/checks/banned_words.py",
    "tests/infra/checks/test_words.py",
)
"""Measurements and decisions stay as they were written; the table and its test name the words."""
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def word_findings(root: Path) -> list[str]:
    """Return every place with a banned word, in names of files as well as in what they say."""
    found: list[str] = []
    for path in files(root, TEXTS, SUFFIXES):
        name = path.relative_to(root).as_posix()
        if name.startswith(NOT_READ):
            continue
        found += [f"{name}: {_advice(word)}" for word in banned_in(Path(name).stem)]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found += [f"{name}:{number}: {_advice(word)}" for word in banned_in(line)]
    return found


def banned_in(text: str) -> list[str]:
    """Return the banned words of a text; names count part by part.

    A word of several parts is found in a name only, whatever the name's style.
    """
    found = []
    for token in re.findall(r"\w+", text):
        parts = [part.lower() for part in _PARTS.findall(token)]
        joined = f" {' '.join(parts)} "
        found += [word for word in BANNED if f" {word} " in joined]
    return found


def _advice(word: str) -> str:
    return f"`{word}` is not used here; say: {BANNED[word]}"
