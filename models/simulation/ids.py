"""Identifiers of orders, trades, ledger entries and amends as Kraken shapes them (§6)."""

from hashlib import blake2b

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def identifier(prefix: str, seed: int, account: str, number: int) -> str:
    """Return the ``number``-th id of one kind of one account: ``OXXXXX-XXXXX-XXXXXX``.

    A function of seed, account and the account's own count, so that what other accounts do never
    changes it. 16 characters of base 36 hold 82 bits: a repeat is not to be expected.
    """
    name = f"{seed}/{account}/{prefix}/{number}".encode()
    rest = int.from_bytes(blake2b(name, digest_size=11).digest(), "big")
    letters = []
    for _ in range(16):
        rest, digit = divmod(rest, 36)
        letters.append(_ALPHABET[digit])
    text = "".join(letters)
    return f"{prefix}{text[:5]}-{text[5:10]}-{text[10:]}"
