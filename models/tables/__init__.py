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
from models.tables.accounts.modes import GoingLiveRow, ModeChangeRow
from models.tables.accounts.reconciliations import CheckpointRow, ReconciliationRow
from models.tables.accounts.restoration import AccountStateRow, TradeStateRow
from models.tables.accounts.settings import (
    AccountSettingsRow,
    EntryAssessmentRow,
    PlatformSettingsRow,
)
from models.tables.governance.access import ApiKeyNonceRow, ApiTokenRow, RequestRow
from models.tables.governance.approvals import ApprovalRow
from models.tables.governance.governance import (
    PLATFORM,
    AuditHeadRow,
    AuditRow,
    KillSwitchRow,
    PlatformSettingRow,
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
from models.tables.learning.training import (
    ChampionRow,
    TrainingRunRow,
    TrainingVerdictRow,
    TrialRow,
)
from models.tables.market.correlations import CorrelationRow
from models.tables.market.live import RecordEventHeadRow, RecordEventRow
from models.tables.market.market import CandleRow, MarketSnapshotRow
from models.tables.market.stress import StressRow
from models.tables.market.universe import UniverseChangeRow, UniverseProposalRow, UniverseVersionRow
from models.tables.trades.evidence import StrategyResultRow
from models.tables.trades.fills import FillRow
from models.tables.trades.ideas import IdeaRow
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
    "ApprovalRow",
    "AssetMovementRow",
    "AuditCheckpointRow",
    "AuditHeadRow",
    "AuditLeafRow",
    "AuditNodeRow",
    "AuditRow",
    "BalanceRow",
    "CandleRow",
    "CapitalFlowRow",
    "ChampionRow",
    "CheckpointRow",
    "CorrelationRow",
    "EnrolmentRow",
    "EntryAssessmentRow",
    "FactorRow",
    "FillRow",
    "GoingLiveRow",
    "GrantRow",
    "HedgeReviewRow",
    "IdeaRow",
    "KillSwitchRow",
    "LedgerMarkRow",
    "MarketSnapshotRow",
    "ModeChangeRow",
    "NavBaselineRow",
    "NetAssetValueRow",
    "OrderRow",
    "PersonRow",
    "PlatformSettingRow",
    "PlatformSettingsRow",
    "PriceWatchRow",
    "QuarantinedWriteRow",
    "ReconciliationRow",
    "RecordEventHeadRow",
    "RecordEventRow",
    "RecoveryCodeRow",
    "RecoveryRow",
    "RequestRow",
    "SessionRow",
    "SignInFailuresRow",
    "StepUpRow",
    "StrategyResultRow",
    "StressRow",
    "TradeRow",
    "TradeStateRow",
    "TradingDayRow",
    "TrainingRunRow",
    "TrainingVerdictRow",
    "TrialRow",
    "UniverseChangeRow",
    "UniverseProposalRow",
    "UniverseVersionRow",
]
