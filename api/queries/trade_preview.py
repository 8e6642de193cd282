"""A trade before it is asked for: the account's present state is asked once, on demand.

The state is that of the account's workflow itself, and the decision its own pure function: what is
shown is what would be done.
"""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus

from sqlmodel import col, select
from temporalio.service import RPCError

from api.http.commands import Command, connected
from api.http.problems import ProblemError, engine_unavailable
from api.messages.bodies import OpenTrade
from api.messages.exits import more_exits
from api.messages.settings import Cap, Costs
from api.messages.trade_preview import (
    CheckWithFigure,
    OpenPreviewedTrade,
    SeenShown,
    TradePreview,
    slippage_of,
)
from api.queries.market import market_of
from api.services import Services
from models.contracts.names import SNAPSHOT_QUERY, account_workflow_id
from models.tables.trades.trades import TradeRow
from models.trading.account.entries.entry_preview import (
    EntryPreview,
    PreviewSeen,
    differences,
    preview_entry,
    seen_now,
)
from models.trading.account.facts import OpenRequested
from models.trading.account.state import AccountState

ASK_SECONDS = 5.0


async def open_request(
    services: Services, body: OpenTrade, request_id: str, by: str
) -> OpenRequested:
    """Return what a body asks the account, at the market as it is seen now."""
    return OpenRequested(
        request_id=request_id,
        by=by,
        symbol=body.symbol,
        order_type=body.order_type,
        stop_price=body.stop_price,
        market=await market_of(services, body.symbol),
        at=datetime.now(UTC),
        quantity=body.quantity,
        limit_price=body.limit_price,
        take_profit_price=body.take_profit_price,
        trailing_distance=body.trailing_distance,
        protection=body.protection,
        exits=more_exits(body),
    )


async def trade_preview(services: Services, account: str, body: OpenTrade, by: str) -> TradePreview:
    """Return what a trade would come to now.

    Raises:
        ProblemError: the account cannot be asked.
    """
    state = await _state(services, account)
    fact = await open_request(services, body, "preview", by)
    return _shown(preview_entry(state, fact), state, fact)


async def refuse_expired(
    services: Services, account: str, body: OpenPreviewedTrade, command: Command, by: str
) -> None:
    """Refuse a trade whose preview holds no more, with what it would come to now.

    A repeat of what was carried out before is let through: its answer is known.
    """
    if body.seen is None or await _entered_before(services, account, command.request_id):
        return
    state = await _state(services, account)
    fact = await open_request(services, body, command.request_id, by)
    shown = _shown(preview_entry(state, fact), state, fact)
    then = PreviewSeen(**body.seen.model_dump())
    changed = differences(then, seen_now(state, shown.seen.price))
    if changed:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            "preview-expired",
            f"The preview holds no more: {'; '.join(changed)}. Nothing was ordered.",
            changed=list(changed),
            preview=shown.model_dump(mode="json"),
        )


async def _state(services: Services, account: str) -> AccountState:
    handle = connected(services).get_workflow_handle(account_workflow_id(account))
    try:
        async with asyncio.timeout(ASK_SECONDS):
            state: AccountState = await handle.query(SNAPSHOT_QUERY, result_type=AccountState)
    except (TimeoutError, RPCError) as error:
        raise engine_unavailable() from error
    return state


async def _entered_before(services: Services, account: str, request_id: str) -> bool:
    query = select(TradeRow.number).where(col(TradeRow.source) == f"request/{request_id}")
    async with services.database.account_scope(account) as session:
        return (await session.exec(query)).first() is not None


def _shown(found: EntryPreview, state: AccountState, fact: OpenRequested) -> TradePreview:
    record = found.record
    costs = None if record is None or record.costs is None else Costs.model_validate(record.costs)
    reference = fact.market.ask if fact.market is not None else found.price
    seen = seen_now(state, reference)
    return TradePreview(
        at=datetime.now(UTC),
        allowed=found.verdict.allowed,
        waits=found.waits,
        symbol=found.symbol,
        price=found.price,
        stop_price=found.stop_price,
        quantity=found.quantity,
        value=found.value,
        loss=found.loss,
        slippage_share=slippage_of(costs),
        checks=[
            CheckWithFigure.model_validate(check, from_attributes=True)
            for check in found.verdict.checks
        ],
        caps=[] if record is None else [Cap.model_validate(cap) for cap in record.caps],
        binding=None if record is None else record.binding,
        costs=costs,
        seen=SeenShown(
            price=seen.price,
            settings_version=seen.settings_version,
            platform_version=seen.platform_version,
            next_trade=seen.next_trade,
        ),
    )
