"""Books that a trade contradicts: it has taken from the book, so that news of that must follow."""

import time

from activities.adapters.kraken.feed.book import Book
from activities.ports.market import Tick

CONFIRMED_WITHIN_SECONDS = 2.0
"""How long after a trade outside of the best prices the book may stay as it was.

It counts while frames come: in a silence the book's own may be on its way as well.
"""


class BookDoubts:
    """Since when each book stands unchanged against a trade outside of its best prices.

    A lost update of the book shows by the checksum of the next one. In a pair where nothing else
    happens none comes, and what waits for the book to confirm a price would wait as long.
    """

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._heard_at = 0.0

    def heard(self) -> None:
        """Note that a frame came, of whatever channel."""
        if self._since:
            self._heard_at = time.monotonic()

    def printed(self, tick: Tick, book: Book | None) -> None:
        """Take a trade into account that was just told."""
        if book is None or not book.has_both_sides:
            return
        if not book.best_bid()[0] <= tick.price <= book.best_ask()[0]:
            self._since.setdefault(tick.symbol, time.monotonic())

    def updated(self, symbol: str) -> None:
        """Forget a doubt: the book has changed since."""
        self._since.pop(symbol, None)

    def take_overdue(self) -> list[str]:
        """Return the symbols whose book should have changed by now, each once."""
        late = self._heard_at - CONFIRMED_WITHIN_SECONDS
        overdue = [symbol for symbol, since in self._since.items() if since <= late]
        for symbol in overdue:
            del self._since[symbol]
        return overdue
