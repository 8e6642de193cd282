"""API tokens as text: a fixed prefix, 43 characters of base 62, and a checksum.

Secret scanners find them by the pattern, and the checksum tells a token from what only looks like
one without asking the database.
"""

import re
from typing import Final
from zlib import crc32

PREFIX: Final = "aether_pat_"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BODY: Final = 43
"""Characters that hold 256 random bits."""
CHECKSUM: Final = 6
PATTERN: Final = rf"\b{PREFIX}[0-9A-Za-z]{{{BODY + CHECKSUM}}}\b"
"""What a secret scanner looks for."""


def token_text(random: bytes) -> str:
    """Return the token that 32 random bytes make."""
    if len(random) != 32:
        raise ValueError("a token is made of 32 random bytes")
    body = _base62(int.from_bytes(random, "big"), BODY)
    return PREFIX + body + _checksum(body)


def is_token(text: str) -> bool:
    """Tell whether a text has the form of a token and the right checksum."""
    if not re.fullmatch(PATTERN, text):
        return False
    body, checksum = text[len(PREFIX) : -CHECKSUM], text[-CHECKSUM:]
    return checksum == _checksum(body)


def tokens_in(text: str) -> list[str]:
    """Return every token found in a text, each once."""
    return list(dict.fromkeys(found for found in re.findall(PATTERN, text) if is_token(found)))


def _checksum(body: str) -> str:
    return _base62(crc32((PREFIX + body).encode()), CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))
