"""What strategies have earned, by version and source, from the accounts that a caller may see."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import text
from sqlmodel import select

from api.messages.strategies import EvidenceView, StrategyView
from infra.runtime.database.connections import PLATFORM_SCOPE, Database
from models.tables import AccountRow
from models.trading.strategies import known
from models.trading.strategies.evidence import (
    RESULTS_READ,
    EvidenceSource,
    StrategyResult,
    summarise_results,
)

_NEWEST = text(
    """SELECT strategy, strategy_version, source, symbol, move, net, closed_at FROM (
           SELECT *, row_number() OVER (
               PARTITION BY strategy, strategy_version, source ORDER BY closed_at DESC) AS place
           FROM strategy_results) AS newest
       WHERE place <= :most"""
)
Version = tuple[str, str]


async def strategies(database: Database, accounts: Sequence[str]) -> list[StrategyView]:
    """Return every strategy of the registry, with what these accounts tell of it."""
    results: dict[Version, list[StrategyResult]] = defaultdict(list)
    followers: dict[str, list[str]] = defaultdict(list)
    for account in accounts:
        async with database.account_scope(account) as session:
            row = (await session.exec(select(AccountRow))).one()
            for name in row.strategies:
                followers[name].append(account)
            _add(results, (await session.sql(_NEWEST, {"most": RESULTS_READ})).all())
    async with database.account_scope(PLATFORM_SCOPE) as session:
        _add(results, (await session.sql(_NEWEST, {"most": RESULTS_READ})).all())
    return [
        StrategyView(
            name=one.name,
            version=one.version,
            standing=one.standing.value,
            interval_minutes=one.interval_minutes,
            rebalances=one.rebalances,
            followed_by=followers[one.name],
            evidence=_evidence(one.name, results),
        )
        for one in known()
    ]


def _add(results: dict[Version, list[StrategyResult]], rows: Sequence[Any]) -> None:
    for row in rows:
        result = StrategyResult(
            EvidenceSource(row.source), "", row.symbol, row.closed_at, row.move, row.net
        )
        results[row.strategy, row.strategy_version].append(result)


def _evidence(name: str, results: dict[Version, list[StrategyResult]]) -> list[EvidenceView]:
    found = []
    for (strategy, version), rows in sorted(results.items()):
        if strategy == name:
            found += [
                EvidenceView(version=version, **asdict(one)) for one in summarise_results(rows)
            ]
    return found
