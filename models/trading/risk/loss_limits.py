"""The levels of loss and of open risk that an account is set to, besides those of its day (R-4)."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Levels:
    """A soft level, from which entries become smaller, and a hard one, at which they stop."""

    soft: Decimal
    hard: Decimal


@dataclass(frozen=True, slots=True)
class LossLimits:
    """Levels as shares (0.05 is five percent), with safe defaults that widen with their clock.

    Attributes:
        day_peak_soft_share: loss from the day's best; measured anew with each day.
        week_soft_share: loss since the account's week began, on Monday in its own zone.
        month_soft_share: loss since the account's month began, in its own zone.
        strategy_soft_share: loss of one strategy's own trades since the week began, as a share of
            the account's equity; only that strategy is held back.
        open_risk_soft_share: what is lost when every stop is hit at its price, as a share of
            equity. It has no clock: it is free again as soon as less is at risk.
    """

    day_peak_soft_share: Decimal = Decimal("0.03")
    day_peak_hard_share: Decimal = Decimal("0.06")
    week_soft_share: Decimal = Decimal("0.04")
    week_hard_share: Decimal = Decimal("0.08")
    month_soft_share: Decimal = Decimal("0.06")
    month_hard_share: Decimal = Decimal("0.12")
    strategy_soft_share: Decimal = Decimal("0.03")
    strategy_hard_share: Decimal = Decimal("0.06")
    open_risk_soft_share: Decimal = Decimal("0.04")
    open_risk_hard_share: Decimal = Decimal("0.06")

    @property
    def day_peak(self) -> Levels:
        """Return the levels of the loss from the day's best."""
        return Levels(self.day_peak_soft_share, self.day_peak_hard_share)

    @property
    def week(self) -> Levels:
        """Return the levels of the week's loss."""
        return Levels(self.week_soft_share, self.week_hard_share)

    @property
    def month(self) -> Levels:
        """Return the levels of the month's loss."""
        return Levels(self.month_soft_share, self.month_hard_share)

    @property
    def strategy(self) -> Levels:
        """Return the levels of one strategy's loss in the week."""
        return Levels(self.strategy_soft_share, self.strategy_hard_share)

    @property
    def open_risk(self) -> Levels:
        """Return the levels of what is at risk down to the stops."""
        return Levels(self.open_risk_soft_share, self.open_risk_hard_share)
