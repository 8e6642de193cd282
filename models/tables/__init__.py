"""The record: one SQLModel table per aggregate, and the mapping of rows to the domain's words.

Importing this package registers every table in ``SQLModel.metadata``.
"""

from models.tables.accounts.accounts import AccountRow, BalanceRow, NetAssetValueRow
from models.tables.accounts.capital import (
    CapitalFlowRow,
    LedgerMarkRow,
    NavBaselineRow,
    TradingDayRow,
)
from models.tables.accounts.hedges import HedgeReviewRow
from models.tables.accounts.lots import AssetMovementRow
from models.tables.accounts.modes import GoingLiveCheckRow, GoingLiveRow, ModeChangeRow
from models.tables.accounts.reconciliations import CheckpointRow, ReconciliationRow
from models.tables.accounts.reports import ReportRow
from models.tables.accounts.restoration import AccountStateRow, TradeStateRow
from models.tables.accounts.settings import (
    AccountSettingsRow,
    EntryAssessmentRow,
    PlatformSettingsRow,
)
from models.tables.governance.access import ApiKeyNonceRow, ApiTokenRow, RequestRow
from models.tables.governance.approvals import ApprovalDecisionRow, ApprovalRow
from models.tables.governance.exchange_keys import ExchangeKeyRow
from models.tables.governance.governance import (
    PLATFORM,
    AuditHeadRow,
    AuditRow,
    InstallationRow,
    KillSwitchRow,
)
from models.tables.governance.notifications import (
    NotificationChannelRow,
    NotificationCursorRow,
    NotificationDeliveryRow,
    NotificationOccurrenceRow,
    NotificationQuietHoursRow,
    NotificationRow,
)
from models.tables.governance.people import (
    AccessTokenRow,
    EnrolmentRow,
    FactorRow,
    GrantRow,
    PersonRow,
    RecoveryCodeRow,
    RecoveryRow,
    SessionRow,
    SignInFailuresRow,
    StepUpRow,
)
from models.tables.governance.quarantine import QuarantinedWriteRow
from models.tables.governance.record import AuditCheckpointRow, AuditLeafRow, AuditNodeRow
from models.tables.learning.backtests import (
    BacktestPageRow,
    BacktestResultRow,
    BacktestRow,
)
from models.tables.learning.decisions import (
    ModelVersionRow,
    OutcomeRow,
    PredictionRow,
    ReplayRow,
    TranscriptRow,
)
from models.tables.learning.training import (
    ChampionRow,
    HoldoutRow,
    TrainingRunRow,
    TrainingVerdictRow,
    TrialRow,
)
from models.tables.market.correlations import CorrelationRow
from models.tables.market.events import (
    EventCursorRow,
    EventHeadRow,
    EventRow,
    EventSwitchRow,
)
from models.tables.market.history import (
    HistoryBatchRow,
    HistoryCandleRow,
    HistoryCursorRow,
    HistoryImportRow,
    HistorySeriesRow,
    HistoryTradeRow,
)
from models.tables.market.live import RecordEventHeadRow, RecordEventRow
from models.tables.market.market import CandleRow, MarketSnapshotRow
from models.tables.market.quality import (
    MarketDataWorkRow,
    MarketFiguresRow,
    MarketQualityRow,
    SanctionsListRow,
    SentimentRow,
)
from models.tables.market.stress import StressRow
from models.tables.market.universe import UniverseChangeRow, UniverseProposalRow, UniverseVersionRow
from models.tables.trades.evidence import StrategyResultRow
from models.tables.trades.fills import FillRow
from models.tables.trades.ideas import IdeaRow
from models.tables.trades.levels import TradeLevelRow
from models.tables.trades.orders import OrderRow
from models.tables.trades.price_watches import PriceWatchRow
from models.tables.trades.trades import TradeRow

__all__ = [
    "PLATFORM",
    "AccessTokenRow",
    "AccountRow",
    "AccountSettingsRow",
    "AccountStateRow",
    "ApiKeyNonceRow",
    "ApiTokenRow",
    "ApprovalDecisionRow",
    "ApprovalRow",
    "AssetMovementRow",
    "AuditCheckpointRow",
    "AuditHeadRow",
    "AuditLeafRow",
    "AuditNodeRow",
    "AuditRow",
    "BacktestPageRow",
    "BacktestResultRow",
    "BacktestRow",
    "BalanceRow",
    "CandleRow",
    "CapitalFlowRow",
    "ChampionRow",
    "CheckpointRow",
    "CorrelationRow",
    "EnrolmentRow",
    "EntryAssessmentRow",
    "EventCursorRow",
    "EventHeadRow",
    "EventRow",
    "EventSwitchRow",
    "ExchangeKeyRow",
    "FactorRow",
    "FillRow",
    "GoingLiveCheckRow",
    "GoingLiveRow",
    "GrantRow",
    "HedgeReviewRow",
    "HistoryBatchRow",
    "HistoryCandleRow",
    "HistoryCursorRow",
    "HistoryImportRow",
    "HistorySeriesRow",
    "HistoryTradeRow",
    "HoldoutRow",
    "IdeaRow",
    "InstallationRow",
    "KillSwitchRow",
    "LedgerMarkRow",
    "MarketDataWorkRow",
    "MarketFiguresRow",
    "MarketQualityRow",
    "MarketSnapshotRow",
    "ModeChangeRow",
    "ModelVersionRow",
    "NavBaselineRow",
    "NetAssetValueRow",
    "NotificationChannelRow",
    "NotificationCursorRow",
    "NotificationDeliveryRow",
    "NotificationOccurrenceRow",
    "NotificationQuietHoursRow",
    "NotificationRow",
    "OrderRow",
    "OutcomeRow",
    "PersonRow",
    "PlatformSettingsRow",
    "PredictionRow",
    "PriceWatchRow",
    "QuarantinedWriteRow",
    "ReconciliationRow",
    "RecordEventHeadRow",
    "RecordEventRow",
    "RecoveryCodeRow",
    "RecoveryRow",
    "ReplayRow",
    "ReportRow",
    "RequestRow",
    "SanctionsListRow",
    "SentimentRow",
    "SessionRow",
    "SignInFailuresRow",
    "StepUpRow",
    "StrategyResultRow",
    "StressRow",
    "TradeLevelRow",
    "TradeRow",
    "TradeStateRow",
    "TradingDayRow",
    "TrainingRunRow",
    "TrainingVerdictRow",
    "TranscriptRow",
    "TrialRow",
    "UniverseChangeRow",
    "UniverseProposalRow",
    "UniverseVersionRow",
]
