"""`aether data backfill`: ask Kraken or CoinGecko for the past, judged and kept like files."""

import json
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands.data.record import history_record, once_large
from infra.runtime.errors import ConfigurationError
from infra.runtime.settings import Settings

if TYPE_CHECKING:
    from activities.adapters.history_files.answers import AnsweredCandles, AnsweredPoints
    from activities.adapters.kraken.history import KrakenHistory
    from activities.adapters.postgres.history.candle_load import PostgresHistory

SIMULATOR, KRAKEN, COINGECKO = "simulator", "kraken", "coingecko"
COINGECKO_KEY = "coingecko-key"
FOUND_BAD = 1


class Kind(StrEnum):
    """What is asked for: bars and trades of the exchange, or CoinGecko's."""

    CANDLES = "candles"
    TRADES = "trades"
    COINGECKO = "coingecko"


def backfill(
    pair: Annotated[str, typer.Argument(help="Like BTC/USD.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What to ask for.")] = Kind.CANDLES,
    interval: Annotated[int, typer.Option(min=1, help="Minutes of a bar.")] = 60,
    begin: Annotated[
        datetime | None, typer.Option("--from", help="First trade of a new back-fill (UTC).")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", help="Trades up to then (UTC).")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="Of CoinGecko.")] = 365,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fill the past of a pair back; what was interrupted goes on where it stood.

    Asked is Kraken itself on Kraken's market, else the simulator, unless AETHER_HISTORY_EXCHANGE
    and AETHER_HISTORY_COINGECKO say another address. Exit code 1 when something was not taken.
    """
    settings = Settings()
    with history_record(settings) as record:
        if kind is Kind.TRADES:
            found = _trades(settings, record, pair, begin, end)
        else:
            found = _candles(settings, record, kind, pair, interval, days)
    if as_json:
        typer.echo(json.dumps(found, default=str))
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in found.items() if value))
    bad = any(map(found.get, ("finding", "skipped"))) or bool(found.get("quarantined_batches"))
    raise typer.Exit(FOUND_BAD if bad else 0)


def exchange_history(settings: Settings) -> "tuple[str, KrakenHistory]":
    """Return the venue's name and its past: what a simulator shows is never called Kraken's."""
    from activities.adapters.kraken.addresses import KRAKEN_ADDRESSES, AllowedHosts
    from activities.adapters.kraken.history import KrakenHistory

    base = settings.history_exchange or (
        KRAKEN_ADDRESSES.rest if settings.market == "kraken" else settings.exchange_url
    )
    if base == KRAKEN_ADDRESSES.rest:
        return KRAKEN, KrakenHistory(base, AllowedHosts.kraken_data(), time.sleep)
    return SIMULATOR, KrakenHistory(base, AllowedHosts.loopback(), time.sleep, pause_seconds=0)


def _trades(
    settings: Settings,
    record: "PostgresHistory",
    pair: str,
    begin: datetime | None,
    end: datetime | None,
) -> dict[str, Any]:
    from activities.adapters.postgres.history.trades import PostgresTrades
    from activities.history.backfilling import fill_trades

    venue, exchange = exchange_history(settings)
    kept = PostgresTrades(record.connection, venue, pair, record.clock)
    # Of a pair that is held already the back-fill goes on: a hole would look like a quiet market.
    cursor = kept.cursor()
    if cursor is not None and begin is not None:
        raise ConfigurationError(f"trades of {pair} are held already: without --from it goes on")
    if cursor is None:
        cursor = str(int(_utc(begin).timestamp()) * 1_000_000_000) if begin else "0"

    gives_way = once_large(record, settings)

    def tell(filled: object) -> None:
        gives_way()
        sys.stderr.write(f"{pair}: {filled}\n")

    try:
        filled = fill_trades(
            exchange.trades(pair, cursor), kept, cursor, _utc(end) if end else None, tell
        )
    finally:
        exchange.close()
    return {"venue": venue, "pair": pair, **asdict(filled)}


def _candles(
    settings: Settings, record: "PostgresHistory", kind: Kind, pair: str, interval: int, days: int
) -> dict[str, Any]:
    from activities.adapters.coingecko.history import UnknownCoinError
    from activities.history.importing import import_source

    try:
        source = _asked(settings, kind, pair, interval, days)
    except UnknownCoinError as error:
        return {"pair": pair, "new_rows": 0, "quarantined_batches": 0, "skipped": str(error)}
    return asdict(import_source(source, record, partial(_present, source)))


def _present(source: "AnsweredCandles | AnsweredPoints") -> int:
    """Return the unix second that bars are judged by: a simulated market may be ahead of it."""
    now = int(time.time())
    return max(now, source.end) if source.venue.startswith(SIMULATOR) else now


def _asked(
    settings: Settings, kind: Kind, pair: str, interval: int, days: int
) -> "AnsweredCandles | AnsweredPoints":
    from activities.adapters.coingecko.history import CoinGeckoHistory, CoinGeckoHistoryError
    from activities.adapters.history_files.answers import AnsweredCandles, AnsweredPoints
    from activities.adapters.history_files.coingecko import rows_of

    at = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if kind is Kind.COINGECKO:
        address = settings.history_coingecko or settings.coingecko_url
        gecko = CoinGeckoHistory(address, time.sleep, _coingecko_key(settings))
        try:
            rows = rows_of(gecko.candles(pair, interval, days))
        except ValueError as error:
            raise CoinGeckoHistoryError(f"CoinGecko, {pair}: {error}") from None
        finally:
            gecko.close()
        label = f"CoinGecko {pair} {interval}m {at}"
        venue = COINGECKO if settings.history_coingecko else f"{SIMULATOR}-{COINGECKO}"
        return AnsweredPoints(label, venue, pair, interval, rows)
    venue, exchange = exchange_history(settings)
    try:
        bars = exchange.candles(pair, interval)
    finally:
        exchange.close()
    return AnsweredCandles(f"{venue} OHLC {pair} {interval}m {at}", venue, pair, interval, bars)


def _coingecko_key(settings: Settings) -> str:
    """Return the key that goes with a question, empty where none is to be sent."""
    if settings.history_coingecko_plan == "keyless":
        return ""
    from infra.runtime.secrets import installation_secrets

    key = installation_secrets(settings).provider_secret(COINGECKO_KEY)
    if not key:
        raise ConfigurationError(
            f"AETHER_HISTORY_COINGECKO_PLAN=demo, and no secret {COINGECKO_KEY}: aether data key"
        )
    return key


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
