"""Which assets a published list of sanctions names: by what they are called, and nothing looser.

A list names people, companies, vessels and, among a person's details, wallets ("Digital Currency
Address - XBT"). A wallet in a coin does not sanction the coin; an entry that is called like an
asset does.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

INDIVIDUAL = "individual"


@dataclass(frozen=True, slots=True)
class SanctionsEntry:
    """One entry: its number in the list, its name, what else it is called, and of which kind."""

    number: int
    name: str
    kind: str
    programs: str
    aliases: tuple[str, ...] = ()


def named_assets(
    entries: Iterable[SanctionsEntry], names: Mapping[str, Iterable[str]]
) -> dict[str, SanctionsEntry]:
    """Return the assets that a list names, each with the first entry that does.

    ``names`` are the ways in which each asset is called. People are passed over: a person called
    like a coin is no coin.
    """
    called = {_plain(name): asset for asset, known in names.items() for name in known if name}
    found: dict[str, SanctionsEntry] = {}
    for entry in entries:
        if entry.kind.lower() == INDIVIDUAL:
            continue
        for name in (entry.name, *entry.aliases):
            asset = called.get(_plain(name))
            if asset is not None:
                found.setdefault(asset, entry)
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", name.upper())
