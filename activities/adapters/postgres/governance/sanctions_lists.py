"""Lists of sanctions that were read: when, how long, and which assets they name."""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

_SAVE = """
    INSERT INTO sanctions_lists (digest, source, published, entries, named, first_read_at, read_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (digest) DO UPDATE SET read_at = excluded.read_at, named = excluded.named
"""


def save_list(
    connection: psycopg.Connection[Any],
    digest: str,
    source: str,
    published: str,
    entries: int,
    named: dict[str, str],
    now: datetime,
) -> None:
    """Write that a list was read now; the same one again is only read anew."""
    connection.execute(_SAVE, (digest, source, published, entries, Jsonb(named), now, now))
