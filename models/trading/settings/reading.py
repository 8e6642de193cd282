"""From a version of the settings to what the rules take: their own limits and policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from models.trading.account.figures import FigureLimits
from models.trading.capital.allocation import AllocationMethod, AllocationPolicy, ShareBounds
from models.trading.execution import EntryStyle, ExecutionPolicy
from models.trading.governance.approval import ApprovalPolicy
from models.trading.governance.going_live import LiveConditions
from models.trading.governance.notifications.routing import Escalation
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.assets import FIAT
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.risk.limits import AccountLimits
from models.trading.risk.loss_limits import LossLimits
from models.trading.risk.portfolio import PortfolioLimits
from models.trading.settings.catalogue import Value
from models.trading.settings.exits import ExitDefaults, exit_defaults_of
from models.trading.settings.versions import SettingsVersion
from models.trading.strategies.evidence import EvidencePolicy, EvidenceSource
from models.trading.strategy_policy import StrategyPolicy
from models.trading.trading_day import DayRule
from models.trading.universe.compliance import ComplianceRules
from models.trading.universe.correlation import CorrelationSettings
from models.trading.universe.pairs import UniverseRules


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What one version of an account's settings means; ``version`` goes onto each trade."""

    version: int
    limits: AccountLimits
    volatility_share: Decimal
    portfolio: PortfolioLimits
    drawdown: DrawdownLimits
    losses: LossLimits
    exits: ExitDefaults
    allocation: AllocationPolicy
    fixed_shares: Mapping[str, Decimal]
    hedge: HedgeSettings
    approval: ApprovalPolicy
    live: LiveConditions
    evidence: EvidencePolicy
    figures: FigureLimits
    day: DayRule
    execution: ExecutionPolicy
    strategies: StrategyPolicy
    exit_fee_share: Decimal


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """What one version of the platform's settings means."""

    version: int
    compliance: ComplianceRules
    universe: UniverseRules
    correlation: CorrelationSettings
    escalation: Escalation
    freeze_windows: tuple[str, ...] = ()


def account_rules(settings: SettingsVersion) -> AccountRules:
    """Return the rules of an account."""
    values = settings.values
    portfolio = _section(values, "portfolio")
    portfolio["bucket_shares"] = dict(portfolio["bucket_shares"])
    drawdown = _section(values, "drawdown")
    drawdown["positions"] = PositionsOnHalt(drawdown["positions"])
    return AccountRules(
        version=settings.version,
        limits=_limits(values),
        volatility_share=_section(values, "risk")["volatility_share"],
        portfolio=PortfolioLimits(**portfolio),
        drawdown=DrawdownLimits(**drawdown),
        losses=LossLimits(**_section(values, "losses")),
        exits=exit_defaults_of(values),
        allocation=_allocation(values),
        fixed_shares=dict(_section(values, "allocation")["fixed"]),
        hedge=_hedge(values),
        approval=ApprovalPolicy(**_section(values, "approval")),
        live=LiveConditions(**_section(values, "live")),
        evidence=_evidence(values),
        figures=FigureLimits(**_section(values, "figures")),
        day=_day(values),
        execution=_execution(values),
        strategies=StrategyPolicy(**_section(values, "strategies")),
        exit_fee_share=_section(values, "valuation")["exit_fee_share"],
    )


def platform_rules(settings: SettingsVersion, allowed: frozenset[str]) -> PlatformRules:
    """Return the rules of the platform; ``allowed`` are the symbols of the universe."""
    values = settings.values
    compliance = _section(values, "compliance")
    rules = ComplianceRules(
        universe=allowed,
        sanctioned=frozenset(compliance["sanctioned"]),
        stablecoins=frozenset(compliance["stablecoins"]),
        peg_tolerance=compliance["peg_tolerance"],
        peg_return=compliance["peg_return"],
    )
    correlation = _section(values, "correlation")
    return PlatformRules(
        version=settings.version,
        compliance=rules,
        universe=UniverseRules(
            **_section(values, "universe"), excluded=rules.sanctioned | rules.stablecoins | FIAT
        ),
        correlation=CorrelationSettings(
            window=correlation["window"],
            prior_weight=correlation["prior_weight"],
            prior=float(correlation["prior"]),
            threshold=float(correlation["threshold"]),
            hysteresis=float(correlation["hysteresis"]),
        ),
        escalation=Escalation(**_section(values, "notifications")),
        freeze_windows=tuple(_section(values, "freeze")["windows"]),
    )


def _limits(values: Mapping[str, Value]) -> AccountLimits:
    """Return the limits in the shape that decisions have had from the start."""
    portfolio, risk = _section(values, "portfolio"), _section(values, "risk")
    del risk["volatility_share"]
    age: timedelta = risk.pop("market_data_age_seconds")
    return AccountLimits(
        **risk,
        pair_exposure_share=portfolio["pair_share"],
        gross_exposure_share=portfolio["gross_share"],
        open_trades_maximum=portfolio["trades_maximum"],
        market_data_age_seconds=int(age.total_seconds()),
    )


def _section(values: Mapping[str, Value], section: str) -> dict[str, Any]:
    """Return the values of one section by field; their types are those of the catalogue."""
    prefix = f"{section}."
    return {
        name.removeprefix(prefix): value
        for name, value in values.items()
        if name.startswith(prefix)
    }


def _evidence(values: Mapping[str, Value]) -> EvidencePolicy:
    section = _section(values, "evidence")
    source = EvidenceSource(section.pop("recorded_as"))
    days = section.pop("age_days_maximum")
    return EvidencePolicy(recorded_as=source, age_maximum=timedelta(days=days), **section)


def _hedge(values: Mapping[str, Value]) -> HedgeSettings:
    section = _section(values, "hedge")
    return HedgeSettings(automatic=section.pop("mode") == "automatic", **section)


def _allocation(values: Mapping[str, Value]) -> AllocationPolicy:
    section = _section(values, "allocation")
    least, most = dict(section["weight_minimum"]), dict(section["weight_maximum"])
    usual = ShareBounds()
    return AllocationPolicy(
        method=AllocationMethod(section["method"]),
        total=section["total"],
        bounds={
            name: ShareBounds(least.get(name, usual.least), most.get(name, usual.most))
            for name in sorted({*least, *most})
        },
        trades_minimum=section["trades_minimum"],
        performance_weight=section["performance_weight"],
    )


def _execution(values: Mapping[str, Value]) -> ExecutionPolicy:
    section = _section(values, "execution")
    return ExecutionPolicy(entry_style=EntryStyle(section.pop("entry_style")), **section)


def _day(values: Mapping[str, Value]) -> DayRule:
    starts_at = time.fromisoformat(str(values["day.starts_at"]))
    return DayRule(str(values["day.zone"]), starts_at)
