"""Which passwords are accepted, as NIST SP 800-63B-4 (3.1.1.2) has it: length, not composition."""

from collections.abc import Iterable
from typing import Final
from unicodedata import normalize

SHORTEST: Final = 15
LONGEST: Final = 128
GUESSES_MINIMUM: Final = 10**10
"""Guesses that an estimate must need at least: what offline guessing at an Argon2id hash cannot
reach in a month on one machine."""

CONTEXT: Final = ("aether", "kraken", "trading", "bitcoin", "director", "password", "administrator")
"""Words that a guesser of this platform's passwords tries first, beside the person's own names."""


def normalized(password: str) -> str:
    """Return the form in which a password is hashed (NFKC: the same keys, the same password)."""
    return normalize("NFKC", password)


def length_problem(password: str) -> str | None:
    """Return what is wrong with a password's length, None if nothing is."""
    length = len(normalized(password))
    if length < SHORTEST:
        return f"A password has at least {SHORTEST} characters."
    if length > LONGEST:
        return f"A password has at most {LONGEST} characters."
    return None


def context_words(name: str, display_name: str) -> list[str]:
    """Return the words that say nothing secret in this person's password."""
    parts = {*CONTEXT, name, *name.replace(".", " ").split(), *display_name.split()}
    return sorted(part.lower() for part in parts if len(part) > 2)


def content_problem(password: str, guesses: float, words: Iterable[str]) -> str | None:
    """Return why a password is too easily guessed, None if it is not.

    Args:
        password: of an accepted length.
        guesses: how many an estimator with common passwords and the words needs.
        words: those of ``context_words``.
    """
    rest = normalized(password).lower()
    for word in sorted(words, key=len, reverse=True):
        rest = rest.replace(word, "")
    if len(set(rest)) < 6:
        return "The password is made of names and words that belong to this platform or to you."
    if guesses < GUESSES_MINIMUM:
        return "The password is, or is made of, words that are commonly used as passwords."
    return None
