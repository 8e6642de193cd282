"""One backtest in a process of its own: ``python -m workers.research.backtesting DIRECTORY``.

It reads a request as one line of JSON, says how far it is in lines of JSON, and writes results and
page into the directory. A request that cannot be run is refused in such a line. It ends itself when
its standard input is closed: whoever asked is gone. It is as nice as whoever started it.
"""

import json
import os
import sys
import threading
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.runtime.errors import PlatformError
from infra.runtime.extra_packages import need
from infra.runtime.settings import Settings
from models.contracts.backtests import (
    EVIDENCE_FILE,
    HISTORY_PREFIX,
    PAGE_FILE,
    RECORD_VENUE,
    REFERENCE_ENGINE,
    RESULTS_FILE,
    BacktestRequest,
)

ABANDONED = 3


def say(**words: object) -> None:
    """Print one line for whoever follows."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def tell(stage: str, done: int = 0, planned: int = 0) -> None:
    """Say how far it is."""
    say(stage=stage, done=done, planned=planned)


def request_of(words: dict[str, Any]) -> BacktestRequest:
    """Return the request of a line of JSON."""
    moments = {
        name: datetime.fromisoformat(words[name]) if words[name] else None
        for name in ("begin", "end")
    }
    lists = {name: tuple(words[name]) for name in ("strategies", "pairs", "sweep")}
    return BacktestRequest(**{**words, **moments, **lists})


def run(request: BacktestRequest, settings: Settings, directory: Path) -> None:
    """Run the backtest and write what it came to.

    Raises:
        PlatformError: it cannot be run as it was asked for.
    """
    tell("loading what a backtest needs")
    need("numba", "requirements-research.lock")
    from activities.learning import strategy_trials as trying
    from models.learning.backtest.evidence import evidence_of
    from models.learning.backtest.rules import FillRules, Portfolio
    from models.learning.backtest.variants import walks
    from models.reporting.backtest.page import page
    from models.reporting.backtest.walk_forward import document_of

    rules = FillRules(
        slippage_share=request.slippage,
        latency_seconds=request.latency,
        fees=trying.fee_schedule(request.fees),
    )
    strategies = trying.chosen_strategies(request.strategies)
    source, unused = _source(request, settings)
    trials = trying.run_trials(
        strategies,
        source,
        rules,
        Portfolio(capital=request.capital),
        interval=request.interval_minutes,
        begin=request.begin,
        together=request.together,
        tell=tell,
        sweep=trying.parse_sweep(request.sweep),
        by_reference=request.engine == REFERENCE_ENGINE,
        place=f"the venue {request.venue}",
        unused=unused,
    )
    tell("writing the results", len(trials), len(trials))
    title = f"Backtest {request.run_id}"
    taker = float(rules.fees.tiers[0].rates.taker)
    walked = walks(trials, request.capital, taker) if request.walk_forward else []
    (directory / PAGE_FILE).write_text(page(title, trials, rules, request.capital, walked))
    documents = [document_of(one, walked) for one in trials]
    found = [evidence_of(request, one, strategies) for one in trials]
    for document, (_, note) in zip(documents, found, strict=True):
        document["notes"].append(note)
    (directory / RESULTS_FILE).write_text(json.dumps(documents))
    trades = [asdict(trade) for every, _ in found for trade in every]
    (directory / EVIDENCE_FILE).write_text(json.dumps(trades, default=str))


def _source(request: BacktestRequest, settings: Settings) -> Any:
    """Return what reads the candles, and what says which of them could not be used."""
    venue, pairs, end = request.venue, request.pairs, request.end
    if venue != RECORD_VENUE and not venue.startswith(HISTORY_PREFIX):
        from activities.adapters.candle_files.reading import files_of

        return files_of(settings.learning_data, pairs, [venue], end), tuple
    from activities.adapters.postgres.market.recorded_bars import KeptHistory, recorded_bars
    from infra.runtime.database.connections import Role, database_url

    if venue == RECORD_VENUE:
        url = database_url(settings, Role.LEARNING)
        return (lambda minutes: recorded_bars(url, pairs, minutes, end)), tuple
    # History is read as whoever brings it in, which this process is too; nothing is written.
    kept = KeptHistory(database_url(settings, Role.MARKET), venue, pairs, end)
    return kept, lambda: kept.unused


def _watch_input() -> None:
    sys.stdin.read()
    os._exit(ABANDONED)


def main() -> int:
    """Run one backtest; 0 also where it was refused, which a line says."""
    request = request_of(json.loads(sys.stdin.readline()))
    threading.Thread(target=_watch_input, daemon=True).start()
    from models.learning.backtest.bars import BarsError

    try:
        run(request, Settings(), Path(sys.argv[1]))
    except (PlatformError, BarsError) as error:
        say(refused=str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
