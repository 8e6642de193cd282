"""The record: one SQLModel table per aggregate, and the mapping of rows to the domain's words.

Importing this package registers every table in ``SQLModel.metadata``.
"""

from models.tables.access import ApiKeyNonceRow, ApiTokenRow, RequestRow
from models.tables.accounts import AccountRow, BalanceRow, NetAssetValueRow
from models.tables.approvals import ApprovalRow
from models.tables.capital import CapitalFlowRow, LedgerMarkRow, NavBaselineRow, TradingDayRow
from models.tables.correlations import CorrelationRow
from models.tables.fills import FillRow
from models.tables.governance import (
    PLATFORM,
    AuditHeadRow,
    AuditRow,
    KillSwitchRow,
    PlatformSettingRow,
)
from models.tables.hedges import HedgeReviewRow
from models.tables.ideas import IdeaRow
from models.tables.live import RecordEventHeadRow, RecordEventRow
from models.tables.market import CandleRow, MarketSnapshotRow
from models.tables.modes import GoingLiveRow, ModeChangeRow
from models.tables.orders import OrderRow
from models.tables.price_watches import PriceWatchRow
from models.tables.quarantine import QuarantinedWriteRow
from models.tables.reconciliations import CheckpointRow, ReconciliationRow
from models.tables.restoration import AccountStateRow, TradeStateRow
from models.tables.settings import AccountSettingsRow, EntryAssessmentRow, PlatformSettingsRow
from models.tables.stress import StressRow
from models.tables.trades import TradeRow
from models.tables.universe import UniverseChangeRow, UniverseProposalRow, UniverseVersionRow

__all__ = [
    "PLATFORM",
    "AccountRow",
    "AccountSettingsRow",
    "AccountStateRow",
    "ApiKeyNonceRow",
    "ApiTokenRow",
    "ApprovalRow",
    "AuditHeadRow",
    "AuditRow",
    "BalanceRow",
    "CandleRow",
    "CapitalFlowRow",
    "CheckpointRow",
    "CorrelationRow",
    "EntryAssessmentRow",
    "FillRow",
    "GoingLiveRow",
    "HedgeReviewRow",
    "IdeaRow",
    "KillSwitchRow",
    "LedgerMarkRow",
    "MarketSnapshotRow",
    "ModeChangeRow",
    "NavBaselineRow",
    "NetAssetValueRow",
    "OrderRow",
    "PlatformSettingRow",
    "PlatformSettingsRow",
    "PriceWatchRow",
    "QuarantinedWriteRow",
    "ReconciliationRow",
    "RecordEventHeadRow",
    "RecordEventRow",
    "RequestRow",
    "StressRow",
    "TradeRow",
    "TradeStateRow",
    "TradingDayRow",
    "UniverseChangeRow",
    "UniverseProposalRow",
    "UniverseVersionRow",
]
