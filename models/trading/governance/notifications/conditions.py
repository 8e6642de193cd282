"""Figures that people are told of when they stay beyond a bound: without Prometheus, too.

The record tells of what has happened; these tell of what goes on: a position without its stop, a
witness that no longer signs, an old backup. Names and bounds are those of ``infra/prometheus``.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from models.trading.governance.notifications.notice import (
    PLATFORM,
    Notice,
    Severity,
    incident_key,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """A figure and the bound above which people are told.

    Attributes:
        figure: its name at ``/metrics``; one with an account's label is judged for each.
        above: the bound; what is not a number, or infinite because there never was one, is not
            judged: a degraded mode says so.
    """

    figure: str
    above: float
    severity: Severity
    title: str
    runbook: str


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "aether_trade_unprotected_current_seconds",
        5,
        Severity.CRITICAL,
        "A position has no stop",
        "AetherUnprotectedPosition",
    ),
    Condition(
        "aether_kill_switch_unacknowledged_seconds",
        10,
        Severity.CRITICAL,
        "An account has not acknowledged the kill switch",
        "AetherKillSwitchUnacknowledged",
    ),
    Condition(
        "aether_audit_checkpoint_age_seconds",
        300,
        Severity.CRITICAL,
        "No witness has signed the record for five minutes",
        "AetherWitnessStale",
    ),
    Condition(
        "aether_account_unmeasured_alert",
        0,
        Severity.WARNING,
        "An account takes no entries for want of a figure",
        "AetherAccountUnmeasured",
    ),
    Condition(
        "aether_record_quarantined_writes_standing_count",
        0,
        Severity.WARNING,
        "Writes that the record cannot hold wait for somebody",
        "AetherWritesQuarantined",
    ),
    Condition(
        "aether_backup_verified_age_seconds",
        26 * 3600,
        Severity.WARNING,
        "The newest verified backup is older than a day",
        "AetherBackupUnverified",
    ),
    Condition(
        "aether_sanctions_list_age_seconds",
        8 * 24 * 3600,
        Severity.WARNING,
        "The list of sanctions is older than eight days",
        "AetherSanctionsStale",
    ),
    Condition(
        "aether_sanctions_named_pairs_count",
        0,
        Severity.WARNING,
        "The list of sanctions names an asset that entries may be made in",
        "AetherSanctionsNamePair",
    ),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure as it was read; ``account`` is "" for the platform's."""

    figure: str
    account: str
    value: float


def changes(
    samples: Iterable[Sample], known: Mapping[str, bool], now: datetime
) -> tuple[list[Notice], dict[str, bool]]:
    """Return what has begun or ended since the last look, and the state of every condition.

    Args:
        samples: the figures as read now.
        known: the state at the last look, empty at the first: what holds then is told, and the end
            of what does not, for it may have been told before a restart.
        now: protocol time.
    """
    by_figure = {condition.figure: condition for condition in CONDITIONS}
    told, state = [], dict(known)
    for sample in samples:
        condition = by_figure.get(sample.figure)
        if condition is None or not math.isfinite(sample.value):
            continue
        key = incident_key("condition", condition.figure, sample.account or PLATFORM)
        holds = sample.value > condition.above
        if known.get(key) is holds:
            continue
        state[key] = holds
        told.append(_notice(condition, sample, key, now, over=not holds))
    return told, state


def _notice(condition: Condition, sample: Sample, key: str, now: datetime, *, over: bool) -> Notice:
    return Notice(
        occurrence=incident_key(key, f"{now:%Y%m%dT%H%M%S%f}"),
        key=key,
        event=condition.figure,
        severity=condition.severity,
        scope=sample.account or PLATFORM,
        title=condition.title,
        detail=f"{condition.figure} is {sample.value:.0f}, more than {condition.above:.0f}",
        runbook=f"docs/runbooks/{condition.runbook}.md" if condition.runbook else "",
        at=now,
        resolves=over,
    )
