"""Workflow ids, task queues and search attributes, in one place for the stories."""

from temporalio.common import SearchAttributeKey

from models.contracts.names import (
    ACCOUNT_SIGNALS,
    MARKET_FEED_WORKFLOW_ID,
    MARKET_QUEUE,
    TRADE_SIGNALS,
    TRADING_QUEUE,
    account_workflow_id,
    reconcile_workflow_id,
    stream_workflow_id,
    trade_workflow_id,
)

ACCOUNT_ID = SearchAttributeKey.for_keyword("AccountId")
PAIR = SearchAttributeKey.for_keyword("Pair")
STRATEGY = SearchAttributeKey.for_keyword("Strategy")
MODE = SearchAttributeKey.for_keyword("Mode")
TRADING_STATE = SearchAttributeKey.for_keyword("TradingState")
HALTED = SearchAttributeKey.for_bool("Halted")
OPENED_AT = SearchAttributeKey.for_datetime("OpenedAt")

__all__ = [
    "ACCOUNT_ID",
    "ACCOUNT_SIGNALS",
    "HALTED",
    "MARKET_FEED_WORKFLOW_ID",
    "MARKET_QUEUE",
    "MODE",
    "OPENED_AT",
    "PAIR",
    "STRATEGY",
    "TRADE_SIGNALS",
    "TRADING_QUEUE",
    "TRADING_STATE",
    "account_workflow_id",
    "reconcile_workflow_id",
    "stream_workflow_id",
    "trade_workflow_id",
]
