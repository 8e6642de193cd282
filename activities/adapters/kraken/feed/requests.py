"""Requests of the public feed, and what a refusal is about: Kraken names only id and symbol."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from activities.adapters.kraken.repairs import Part

CHANNELS = ("book", "trade", "ohlc")
REMEMBERED = 1000


class FeedRequests:
    """Make subscribe requests with rising ids and remember what each one asked for."""

    def __init__(self, interval_minutes: int, depth: int) -> None:
        """``interval_minutes`` is that of the bars, ``depth`` the number of levels of a book."""
        self._interval = interval_minutes
        self._depth = depth
        self._number = 0
        self._asked: OrderedDict[int, tuple[str, tuple[str, ...]]] = OrderedDict()

    def subscribe(self, channel: str, symbols: Sequence[str] = ()) -> dict[str, Any]:
        """Return the request for a channel; without symbols for one that has none."""
        parameters: dict[str, Any] = {"channel": channel}
        if symbols:
            parameters |= {"symbol": list(symbols), "snapshot": True}
        if channel == "book":
            parameters["depth"] = self._depth
        if channel == "ohlc":
            parameters["interval"] = self._interval
        return self._request("subscribe", parameters)

    def unsubscribe(self, channel: str, symbols: Sequence[str] = ()) -> dict[str, Any]:
        """Return the request that ends a channel: a new snapshot comes with the next beginning."""
        parameters: dict[str, Any] = {"channel": channel}
        if symbols:
            parameters |= {"symbol": list(symbols)}
        if channel == "book":
            parameters["depth"] = self._depth
        return self._request("unsubscribe", parameters)

    def _request(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        self._asked[self._number] = (parameters["channel"], tuple(parameters.get("symbol", ())))
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return {"method": method, "params": parameters, "req_id": self._number}

    def parts_refused(self, message: Mapping[str, Any], symbols: Sequence[str]) -> list[Part]:
        """Return what a refusal is about, of these symbols.

        That is what its request asked for, narrowed to the symbol that it names; every channel
        where the request is not known.
        """
        number = message.get("req_id")
        asked = self._asked.get(number) if isinstance(number, int) else None
        channels = CHANNELS if asked is None else (asked[0],)
        about = symbols if asked is None else (asked[1] or ("",))
        named = message.get("symbol")
        if isinstance(named, str) and named in symbols:
            about = (named,)
        return [(channel, symbol) for channel in channels for symbol in about]
