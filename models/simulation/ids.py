"""Identifiers of orders, trades, ledger entries and amends as Kraken shapes them (§6)."""

from hashlib import blake2b

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = bytes(_ALPHABET[byte % 36] for byte in range(256))


def identifier(prefix: str, seed: int, account: str, number: int) -> str:
    """Return the ``number``-th id of one kind of one account: ``OXXXXX-XXXXX-XXXXXX``.

    A function of seed, account and the account's own count, so that what other accounts do never
    changes it. 16 letters of 36 hold about 82 bits: a repeat is not to be expected.
    """
    name = f"{seed}/{account}/{prefix}/{number}".encode()
    text = blake2b(name, digest_size=16).digest().translate(_LETTERS).decode()
    return f"{prefix}{text[:5]}-{text[5:10]}-{text[10:]}"
