"""What can be subscribed to on the public socket, and how a request for it is read or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.simulation.markets.instruments import Universe, UnknownPairError
from models.simulation.public.book_lines import DEPTHS
from models.simulation.public.candles import INTERVALS

PRIVATE_CHANNELS = frozenset(("executions", "balances"))
WRONG_HOST = "Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com"
WARNINGS = {
    "ohlc": "timestamp is deprecated, use interval_begin",
    "instrument": "tick_size is deprecated, use price_increment",
}
OPTION_NAMES = {"book": "depth", "ohlc": "interval", "ticker": "event_trigger"}


class SubscriptionRefusedError(Exception):
    """A subscription cannot be had; the message is Kraken's."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What one subscription is about; ``option`` is depth, interval or event trigger."""

    channel: str
    symbol: str
    option: int | str = ""

    def acknowledged(self, snapshot: bool | None = None) -> dict[str, Any]:
        """Return the ``result`` of an acknowledgement; ``snapshot`` is None to unsubscribe."""
        result: dict[str, Any] = {"channel": self.channel}
        if self.channel in OPTION_NAMES:
            result[OPTION_NAMES[self.channel]] = self.option
        if snapshot is not None:
            result["snapshot"] = snapshot
        if self.symbol:
            result["symbol"] = self.symbol
        if snapshot is not None and self.channel in WARNINGS:
            result["warnings"] = [WARNINGS[self.channel]]
        return result


def require(condition: bool, refusal: str) -> None:
    """Raise SubscriptionRefusedError with Kraken's words unless the condition holds."""
    if not condition:
        raise SubscriptionRefusedError(refusal)


def read_symbols(parameters: Any) -> list[str]:
    """Return the symbols a request is about; one empty name for a channel without symbols.

    Raises:
        SubscriptionRefusedError: the request as a whole is malformed.
    """
    require(isinstance(parameters, dict), "Malformed request")
    channel = parameters.get("channel")
    require(isinstance(channel, str), "Malformed request")
    require(channel not in PRIVATE_CHANNELS, WRONG_HOST)
    if channel == "instrument":
        return [""]
    require(channel != "status", "Symbol(s) not found")
    require(channel in ("ticker", "trade", "book", "ohlc"), "Subscription name invalid")
    symbols = parameters.get("symbol")
    require(bool(symbols), "Symbol(s) not found")
    require(isinstance(symbols, list), "Malformed request")
    require(all(isinstance(symbol, str) and symbol for symbol in symbols), "Malformed request")
    return list(symbols)


def read_topic(parameters: Mapping[str, Any], symbol: str, universe: Universe) -> Topic:
    """Return what one symbol of a request is about.

    Raises:
        SubscriptionRefusedError: unknown symbol (only v2 names are known) or option.
    """
    channel = parameters["channel"]
    if symbol:
        try:
            universe.by_symbol(symbol)
        except UnknownPairError:
            raise SubscriptionRefusedError(f"Currency pair not supported {symbol}") from None
    option: int | str = ""
    if channel == "book":
        option = _choice(parameters.get("depth", 10), DEPTHS, "Subscription depth not supported")
    elif channel == "ohlc":
        refusal = "Subscription ohlc interval not supported"
        option = _choice(parameters.get("interval", 1), INTERVALS, refusal)
    elif channel == "ticker":
        option = parameters.get("event_trigger", "trades")
        require(option in ("trades", "bbo"), "Malformed request")
    return Topic(channel, symbol, option)


def _choice(value: Any, allowed: tuple[int, ...], refusal: str) -> int:
    require(type(value) is int and value in allowed, refusal)
    return int(value)
