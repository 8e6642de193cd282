"""What must hold before an account trades live, and before it changes its mode at all (S-3, S-4).

All conditions are checked and shown, also after one has failed. The facts are gathered by the
shell; what could not be found out counts as not fulfilled.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.governance.approval import check_other_person
from models.trading.risk.limits import Mode
from models.trading.strategies.bootstrap import MeanBound
from models.trading.verdicts import Check, Verdict

NEEDED_PERMISSIONS = frozenset(
    {
        "query_funds",
        "query_open_orders",
        "query_closed_orders",
        "query_ledger",
        "modify_orders",
        "cancel_orders",
        "websocket",
    }
)
"""What a trading key must be allowed to do (Kraken's permission groups)."""

FORBIDDEN_PERMISSIONS = frozenset({"withdraw_funds"})
"""What a trading key must not be allowed to do: whoever has it can take nothing away."""


FACTORS_NEEDED = 2
"""Second factors of each director before an account of theirs goes live."""


@dataclass(frozen=True, slots=True)
class LiveConditions:
    """What an account is asked for; set per account.

    Attributes:
        simulated_minimum: market time that the account must have run in simulation without a break.
        reconciled_within: oldest clean reconciliation that counts.
        simulated_trades_minimum: closed trades in that run.
    """

    simulated_minimum: timedelta = timedelta(days=14)
    reconciled_within: timedelta = timedelta(hours=1)
    simulated_trades_minimum: int = 20


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What is known of the live key; ``permissions`` None: they could not be checked."""

    permissions: frozenset[str] | None
    used_by_others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What was found out about an account that wants to go live.

    Attributes:
        key: the live key, None: there is none.
        reconciled_at: when the last reconciliation ran (protocol time); ``differences`` it found.
        limits_version: version of the settings that people set, None: still the defaults.
        requested_by: who wants it; ``approved_by`` who agreed, None: nobody yet.
        simulated_for: market time of the simulation run so far, None: it never ran.
        open_orders: orders resting in the present mode; ``positions`` symbols held in it.
        market_is_live: whether the prices that decisions rest on are Kraken's own, as they happen.
        request: number of the request to go live that counts.
        net_results: net results per trade of what the account follows over the simulation run, with
            their lower bound; None: they could not be found out.
        overrides_evidence: the request says, in writing, that it goes on without their proof.
        directors: people who are directors of the account, None: it could not be found out.
        directors_short: those of them with fewer second factors than ``FACTORS_NEEDED``.
        record_fault: why the record of actions is not protected up to now, "" when it is, None: it
            could not be found out.
        frozen: why changes are frozen, "" where they are not, or a person breaks the glass.
        outdated: what is another one now than the other person agreed to, "" where nothing is.
    """

    key: KeyFacts | None
    reconciled_at: datetime | None
    differences: int
    limits_version: int | None
    requested_by: str
    approved_by: str | None
    simulated_for: timedelta | None
    simulated_trades: int
    open_orders: int
    positions: tuple[str, ...]
    halts: tuple[str, ...] = ()
    market_is_live: bool = False
    request: int | None = None
    net_results: MeanBound | None = None
    overrides_evidence: bool = False
    directors: int | None = None
    directors_short: tuple[str, ...] = ()
    record_fault: str | None = None
    frozen: str = ""
    outdated: str = ""


@dataclass(frozen=True, slots=True)
class LiveTerms:
    """What a person agrees to by approving: the key by its fingerprint, and the limits' version."""

    key: str | None
    limits_version: int | None


def changed_terms(agreed: LiveTerms, now: LiveTerms) -> str:
    """Say what is another one now than was agreed to, "" where nothing is."""
    changed = [] if agreed.key == now.key else ["the live key"]
    if agreed.limits_version != now.limits_version:
        before, after = agreed.limits_version or 0, now.limits_version or 0
        changed.append(f"the limits (version {after} for {before})")
    return " and ".join(changed)


def judge_mode_switch(open_orders: int, positions: tuple[str, ...]) -> Verdict:
    """Tell whether an account may change its mode, either way: nothing is left in the old one."""
    held = ", ".join(positions) or "none"
    return Verdict(
        (
            Check(
                "S-3",
                "orders-open",
                open_orders == 0,
                f"{open_orders} orders open in the present mode",
                Decimal(open_orders),
                Decimal(0),
            ),
            Check("S-3", "positions-open", not positions, f"positions in the present mode: {held}"),
        )
    )


def judge_going_live(facts: LiveFacts, conditions: LiveConditions, now: datetime) -> Verdict:
    """Apply every condition of going live; ``now`` is protocol time."""
    switch = judge_mode_switch(facts.open_orders, facts.positions)
    return Verdict(
        (
            check_key(facts.key),
            check_permissions(facts.key),
            check_reconciliation(facts, conditions, now),
            check_limits(facts),
            check_market(facts),
            check_record(facts),
            check_approval(facts),
            check_terms(facts),
            check_factors(facts),
            check_simulation_run(facts, conditions),
            check_net_results(facts),
            *switch.checks,
            _check("change-frozen", not facts.frozen, f"frozen: {facts.frozen or 'nothing'}"),
            _check("account-halted", not facts.halts, f"halts: {', '.join(facts.halts) or 'none'}"),
        )
    )


def check_key(key: KeyFacts | None) -> Check:
    """Require a live key that no other account uses (A-3)."""
    if key is None:
        return _check("no-live-key", False, "there is no live key")  # noqa: FBT003
    others = ", ".join(key.used_by_others) or "nobody"
    return _check("key-shared", not key.used_by_others, f"the key is used besides by: {others}")


def check_permissions(key: KeyFacts | None) -> Check:
    """Require all that trading needs and refuse a key that may withdraw."""
    if key is None or key.permissions is None:
        return _check("wrong-permissions", False, "the key's permissions are not known")  # noqa: FBT003
    missing = ", ".join(sorted(NEEDED_PERMISSIONS - key.permissions)) or "none"
    beyond = ", ".join(sorted(FORBIDDEN_PERMISSIONS & key.permissions)) or "none"
    passed = missing == beyond == "none"
    return _check("wrong-permissions", passed, f"missing: {missing}; forbidden: {beyond}")


def check_reconciliation(facts: LiveFacts, conditions: LiveConditions, now: datetime) -> Check:
    """Require a clean reconciliation of late."""
    if facts.reconciled_at is None:
        return _check("not-reconciled", False, "the account was never reconciled")  # noqa: FBT003
    age = now - facts.reconciled_at
    passed = facts.differences == 0 and timedelta(0) <= age <= conditions.reconciled_within
    allowed = _hours(conditions.reconciled_within)
    reason = f"{facts.differences} differences, {_hours(age)} ago of {allowed} allowed"
    return _check("not-reconciled", passed, reason)


def check_limits(facts: LiveFacts) -> Check:
    """Require limits that people have set."""
    version = facts.limits_version
    shown = f"set by people, version {version}" if version is not None else "still the defaults"
    return _check("limits-not-set", version is not None, f"the limits are {shown}")


def check_approval(facts: LiveFacts) -> Check:
    """Require a request, and another person who agreed to it."""
    if not facts.requested_by:
        return Check(
            "approval", "second-person-needed", passed=False, reason="nobody has asked yet"
        )
    return check_other_person(facts.requested_by, facts.approved_by or "")


def check_terms(facts: LiveFacts) -> Check:
    """Require the key and the limits that the other person agreed to."""
    shown = f"another one since the approval: {facts.outdated or 'nothing'}"
    return _check("request-outdated", not facts.outdated, shown)


def check_factors(facts: LiveFacts) -> Check:
    """Require two second factors of every director: one that is lost locks nobody out."""
    if facts.directors is None:
        return _check("factors-missing", False, "the directors' factors are not known")  # noqa: FBT003
    short = ", ".join(facts.directors_short) or "none"
    reason = f"{facts.directors} directors; with fewer than {FACTORS_NEEDED} factors: {short}"
    return _check("factors-missing", facts.directors > 0 and not facts.directors_short, reason)


def check_market(facts: LiveFacts) -> Check:
    """Require Kraken's own market: no live order may rest on prices that are made up or old."""
    shown = "Kraken's own" if facts.market_is_live else "another one: start with MARKET=kraken"
    return _check("not-live-market", facts.market_is_live, f"the market followed is {shown}")


def check_record(facts: LiveFacts) -> Check:
    """Require a record of actions that a witness has cosigned of late."""
    unknown = "it could not be found out whether the record is protected"
    fault = unknown if facts.record_fault is None else facts.record_fault
    return _check("record-unprotected", not fault, fault or "protected")


def check_simulation_run(facts: LiveFacts, conditions: LiveConditions) -> Check:
    """Require a simulation run of the set length and number of trades."""
    ran = facts.simulated_for if facts.simulated_for is not None else timedelta(0)
    least = conditions.simulated_minimum
    enough = facts.simulated_trades >= conditions.simulated_trades_minimum
    reason = (
        f"simulated for {_hours(ran)} of {_hours(least)}, "
        f"{facts.simulated_trades} of {conditions.simulated_trades_minimum} trades"
    )
    hours = Decimal(int(ran.total_seconds())) / 3600
    needed = Decimal(int(least.total_seconds())) / 3600
    return Check("S-4", "simulation-too-short", ran >= least and enough, reason, hours, needed)


def check_net_results(facts: LiveFacts) -> Check:
    """Require a profit per trade that the run shows at the least, or two people who go on without.

    The override is part of the request: one person writes it and why, another approves it.
    """
    found = facts.net_results
    lower = None if found is None else found.lower
    proven = lower is not None and lower > 0
    if found is None or found.mean is None:
        shown = "net results of the simulation run are not known"
    else:
        bound = "too few for a bound" if lower is None else f"lower bound {lower:.4%}"
        shown = f"{found.results} trades at {found.mean:.4%} net on average, {bound} (95 %)"
    two = check_other_person(facts.requested_by, facts.approved_by or "").passed
    overridden = facts.overrides_evidence and bool(facts.requested_by) and two
    if not proven and facts.overrides_evidence:
        by = f"by {facts.requested_by} and {facts.approved_by}" if two else "approved by nobody yet"
        shown = f"{shown}; overridden in writing, {by}"
    return Check("S-4", "no-evidence-of-profit", proven or overridden, shown, lower, Decimal(0))


def needs_live_conditions(present: Mode, wanted: Mode) -> bool:
    """Tell whether a change of mode is one that goes live."""
    return wanted is Mode.LIVE and present is not Mode.LIVE


def _check(code: str, passed: bool, reason: str) -> Check:
    return Check("S-4", code, passed, reason)


def _hours(duration: timedelta) -> str:
    return f"{duration.total_seconds() / 3600:.1f} h"
