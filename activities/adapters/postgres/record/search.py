"""Searching the record across accounts: by time, actor, account, action, correlation and words."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from infra.runtime.database.connections import Database

_SEARCH = text(
    """SELECT * FROM search_audit(CAST(:accounts AS text[]), CAST(:since AS timestamptz),
           CAST(:until AS timestamptz), CAST(:actor AS text), CAST(:action AS text),
           CAST(:correlation AS text), CAST(:words AS text), CAST(:before_at AS timestamptz),
           CAST(:before_index AS bigint), CAST(:limit AS integer))"""
)


class CursorError(ValueError):
    """A cursor is none that a page has given."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; None: anything.

    Attributes:
        accounts: the chains that whoever asks may see, None: all.
        correlation: of a trade, an approval, a kill switch; or the id of a request, which finds
            the trades that came of it as well.
        words: all of them are in the row, in any order.
    """

    accounts: tuple[str, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    correlation: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, newest first, and where the next page begins ("" after the last)."""

    rows: Sequence[Any]
    following: str


async def search_record(database: Database, wanted: Search, cursor: str, limit: int) -> Page:
    """Return a page of what is found.

    Raises:
        CursorError: the cursor is none that a page has given.
    """
    at, index = _read(cursor) if cursor else (None, None)
    values = asdict(wanted) | {"before_at": at, "before_index": index, "limit": limit}
    if wanted.accounts is not None:
        values["accounts"] = list(wanted.accounts)
    rows = await database.call(_SEARCH, values)
    more = len(rows) == limit
    return Page(rows, _cursor(rows[-1].recorded_at, rows[-1].leaf_index) if more else "")


def _cursor(at: datetime, index: int) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {index}".encode()).decode()


def _read(cursor: str) -> tuple[datetime, int]:
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True).decode()
        at, _, index = raw.partition(" ")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not 0 <= int(index) < 2**63:
            raise CursorError("no cursor of a page")
        return moment, int(index)
    except (binascii.Error, ValueError):
        raise CursorError("no cursor of a page") from None
