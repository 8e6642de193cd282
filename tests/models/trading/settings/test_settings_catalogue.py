"""One definition per setting serves validation, schema and page, and changes are versions."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.trading.capital.allocation import AllocationPolicy, ShareBounds
from models.trading.governance.approval import ApprovalPolicy
from models.trading.hedge.target import HedgeSettings
from models.trading.risk.drawdown_limits import DrawdownLimits, PositionsOnHalt
from models.trading.risk.limits import AccountLimits
from models.trading.risk.portfolio import PortfolioLimits
from models.trading.settings.catalogue import Danger, SettingKind, SettingScope, plain, read_value
from models.trading.settings.definitions import BY_NAME, CATALOGUE, ORDERED
from models.trading.settings.documents import definitions_of, json_schema, markdown
from models.trading.settings.reading import account_rules, platform_rules
from models.trading.settings.records import (
    OLD_NAMES,
    export_values,
    import_updates,
    restore_version,
)
from models.trading.settings.versions import (
    ChangeRequest,
    SettingsDecision,
    SettingsVersion,
    decide_change,
    default_version,
    is_dangerous,
)
from tests.models.trading.trading_builders import START

DEFAULTS = default_version("company", SettingScope.ACCOUNT)


def change(
    updates: dict[str, object],
    *,
    current: SettingsVersion = DEFAULTS,
    approved_by: str | None = None,
) -> SettingsDecision:
    request = ChangeRequest(updates, "Dora", "a reason", START, current.version, approved_by)
    return decide_change(current, request)


def test_every_definition_is_whole_and_its_default_valid() -> None:
    assert len(BY_NAME) == len(CATALOGUE)
    for definition in CATALOGUE:
        assert definition.description.endswith(".")
        outcome = read_value(definition, plain(definition, definition.default))
        assert (outcome.value, outcome.problem) == (definition.default, None), definition.name
        assert read_value(definition, definition.default).value == definition.default
        assert definition.kind is not SettingKind.CHOICE or definition.choices
    for low, high in ORDERED:
        assert BY_NAME[low].scope is BY_NAME[high].scope


def test_defaults_are_those_of_the_rules() -> None:
    rules = account_rules(DEFAULTS)
    assert rules.limits == AccountLimits()
    assert rules.portfolio == PortfolioLimits()
    assert rules.drawdown == DrawdownLimits()
    assert rules.hedge == HedgeSettings()
    assert rules.allocation == AllocationPolicy()
    assert rules.exits.hold_maximum is rules.exits.trailing_share is None
    assert rules.approval.expires_after == ApprovalPolicy().expires_after
    platform = platform_rules(
        default_version("platform", SettingScope.PLATFORM), frozenset({"A/USD"})
    )
    assert platform.compliance.universe == {"A/USD"}
    assert "USDC" in platform.universe.excluded
    assert platform.correlation.threshold == 0.7


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("drawdown.hard_share", "0.04", Decimal("0.04")),
        ("drawdown.hard_share", 0.04, Decimal("0.04")),
        ("portfolio.trades_maximum", "5", 5),
        ("portfolio.cool_down", 60, timedelta(minutes=1)),
        ("drawdown.positions", "close", "close"),
        ("day.zone", "America/New_York", "America/New_York"),
        ("day.starts_at", "17:30", "17:30"),
        ("compliance.sanctioned", ["XMR", "TORN", "XMR"], ("TORN", "XMR")),
        ("portfolio.bucket_shares", {"meme": "0.05"}, (("meme", Decimal("0.05")),)),
    ],
)
def test_values_are_read_as_people_and_files_write_them(
    name: str, raw: object, value: object
) -> None:
    assert read_value(BY_NAME[name], raw).value == value


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("drawdown.hard_share", "much"),
        ("drawdown.hard_share", "NaN"),
        ("drawdown.hard_share", "Infinity"),
        ("drawdown.hard_share", "1.01"),
        ("drawdown.hard_share", True),
        ("drawdown.hard_share", None),
        ("portfolio.trades_maximum", "2.5"),
        ("portfolio.trades_maximum", -1),
        ("drawdown.positions", "hope"),
        ("day.zone", "Europe/Atlantis"),
        ("day.starts_at", "24:00"),
        ("day.starts_at", "9"),
        ("compliance.sanctioned", "XMR"),
        ("compliance.sanctioned", [""]),
        ("portfolio.bucket_shares", {"meme": "2"}),
        ("portfolio.bucket_shares", ["meme"]),
    ],
)
def test_what_does_not_fit_is_refused_with_the_name(name: str, raw: object) -> None:
    outcome = read_value(BY_NAME[name], raw)
    assert outcome.value is None
    assert outcome.problem is not None
    assert outcome.problem.startswith(name)


def test_a_change_is_a_new_version_with_what_was_before() -> None:
    made = change({"drawdown.hard_share": "0.04", "hedge.trade_band": "0.02"})
    assert made.verdict.allowed
    version = made.version
    assert version is not None
    assert (version.version, version.author, version.at) == (1, "Dora", START)
    assert [(c.name, c.before, c.after, c.dangerous) for c in version.changes] == [
        ("drawdown.hard_share", Decimal("0.05"), Decimal("0.04"), False),
        ("hedge.trade_band", Decimal("0.03"), Decimal("0.02"), False),
    ]
    assert account_rules(version).drawdown.hard_share == Decimal("0.04")
    assert account_rules(version).version == 1
    assert DEFAULTS.values["drawdown.hard_share"] == Decimal("0.05")


def test_exits_and_bounds_of_strategies_are_read() -> None:
    made = change(
        {
            "exits.hold_maximum": 3600,
            "allocation.weight_maximum": {"trend": "0.4"},
            "allocation.fixed": {"trend": "0.3"},
        },
        approved_by="Emil",
    ).version
    assert made is not None
    rules = account_rules(made)
    assert rules.exits.hold_maximum == timedelta(hours=1)
    assert rules.allocation.bounds_of("trend") == ShareBounds(Decimal(0), Decimal("0.4"))
    assert rules.fixed_shares == {"trend": Decimal("0.3")}


def test_raising_a_limit_is_confirmed_or_approved_by_a_second_person() -> None:
    updates: dict[str, object] = {"drawdown.hard_share": "0.06", "drawdown.positions": "close"}
    alone = change(updates)
    assert alone.version is None
    assert alone.needs_approval
    assert [check.code for check in alone.verdict.failures] == ["confirmation-needed"]
    assert change(updates, approved_by="dora").version is None
    assert not change({**updates, "day.zone": "nowhere"}).needs_approval
    assert not change({"hedge.trade_band": "2"}).needs_approval
    agreed = change(updates, approved_by="Emil").version
    assert agreed is not None
    assert agreed.approved_by == "Emil"
    request = ChangeRequest(updates, "Dora", "a reason", START, 0, confirmed=True)
    confirmed = decide_change(DEFAULTS, request)
    assert confirmed.version is not None
    assert confirmed.version.approved_by is None
    assert [c.name for c in confirmed.changes if c.dangerous] == sorted(updates)
    assert account_rules(agreed).drawdown.positions is PositionsOnHalt.CLOSE


@pytest.mark.parametrize(
    "updates",
    [
        {"drawdown.hard_share": "0.01"},
        {"drawdown.hard_sharee": "0.01"},
        {"universe.spread_maximum": "0.01"},
        {"drawdown.hard_share": "0.04", "day.zone": "nowhere"},
        {},
        {"drawdown.hard_share": "0.05"},
    ],
)
def test_a_change_that_does_not_hold_together_is_refused_whole(updates: dict[str, object]) -> None:
    refused = change(updates)
    assert refused.version is None
    assert not refused.needs_approval


def test_a_change_of_what_somebody_else_has_changed_is_refused() -> None:
    first = change({"hedge.trade_band": "0.02"}).version
    assert first is not None
    late = decide_change(first, ChangeRequest({"hedge.trade_band": "0.01"}, "Emil", "x", START, 0))
    assert [check.code for check in late.verdict.failures] == ["outdated-change"]


def test_an_export_brings_the_same_values_elsewhere() -> None:
    made = change(
        {"hedge.trade_band": "0.02", "portfolio.bucket_shares": {"meme": "0.1"}}, approved_by="E"
    ).version
    assert made is not None
    exported = json.loads(json.dumps(export_values(made)))
    other = default_version("director-1", SettingScope.ACCOUNT)
    updates = import_updates(other, exported)
    assert set(updates) == {"hedge.trade_band", "portfolio.bucket_shares"}
    brought = change(updates, current=other, approved_by="Emil").version
    assert brought is not None
    assert brought.values == made.values
    assert import_updates(made, exported) == {}
    assert change(import_updates(other, {"no.such": 1}), current=other).version is None


def test_a_stored_version_is_the_same_when_it_is_read_again() -> None:
    updates = {"portfolio.cool_down": 60, "portfolio.bucket_shares": {"meme": "0.1"}}
    made = change(updates, approved_by="Emil").version
    assert made is not None
    stored = json.loads(json.dumps(export_values(made)))
    again = restore_version(replace(made, values={}), stored)
    assert (again.version, again.left_out) == (made, ())
    older = {"no.longer": 1, "hedge.trade_band": "7", "hedge.ratio_minimum": "0.2"}
    restored = restore_version(made, older)
    assert restored.version.values == {**DEFAULTS.values, "hedge.ratio_minimum": Decimal("0.2")}
    assert restored.left_out == ("hedge.trade_band", "no.longer")


def test_a_version_with_the_names_of_before_is_read_by_those_of_now() -> None:
    before = {"hedge.least": "0.2", "allocation.tilt": "2", "hedge.calm": "0.03"}
    wanted = {
        "hedge.ratio_minimum": Decimal("0.2"),
        "allocation.performance_weight": Decimal(2),
        "hedge.volatility_low": Decimal("0.03"),
    }
    restored = restore_version(DEFAULTS, before)
    assert restored.left_out == ()
    assert restored.version.values == {**DEFAULTS.values, **wanted}
    assert set(import_updates(DEFAULTS, before)) == set(wanted)
    newer = restore_version(DEFAULTS, {**before, "hedge.ratio_minimum": "0.3"})
    assert newer.version.values["hedge.ratio_minimum"] == Decimal("0.3")
    assert set(OLD_NAMES.values()) <= set(BY_NAME)
    assert not set(OLD_NAMES) & set(BY_NAME)


def test_schema_and_page_have_every_setting() -> None:
    for scope in SettingScope:
        definitions = definitions_of(scope)
        schema = json.loads(json.dumps(json_schema(definitions)))
        assert set(schema["properties"]) == {d.name for d in definitions}
        page = markdown(definitions)
        assert page.count("\n") == len(definitions) + 2
        assert all(f"`{d.name}`" in page for d in definitions)
    hard = json_schema(CATALOGUE)["properties"]["drawdown.hard_share"]  # type: ignore[index]
    assert hard == {
        "type": "string",
        "format": "decimal",
        "pattern": r"^(0(\.[0-9]{1,15})?|1(\.0{1,15})?)$",
        "description": "Loss of the day at which entries stop.",
        "default": "0.05",
        "x-unit": "share (0.05 is five percent)",
        "x-dangerous": "raising",
        "x-minimum": "0.001",
        "x-maximum": "1",
    }


NUMBERS = [d for d in CATALOGUE if d.kind in (SettingKind.SHARE, SettingKind.COUNT)]


@given(st.sampled_from(NUMBERS), st.decimals("0", "1", places=4), st.decimals("0", "1", places=4))
def test_one_direction_of_a_limit_is_dangerous_and_never_both(
    definition: object, first: Decimal, second: Decimal
) -> None:
    assert definition in NUMBERS
    there, back = (is_dangerous(definition, a, b) for a, b in ((first, second), (second, first)))  # type: ignore[arg-type]
    if first == second or definition.danger is Danger.NONE:  # type: ignore[attr-defined]
        assert not there
        assert not back
    elif definition.danger is Danger.ANY:  # type: ignore[attr-defined]
        assert there
        assert back
    else:
        assert there != back


UPDATES = st.dictionaries(
    st.sampled_from([d.name for d in NUMBERS if d.scope is SettingScope.ACCOUNT]),
    st.one_of(st.decimals("-1", "2", places=3), st.integers(-5, 50), st.text(max_size=3)),
    max_size=5,
)


@given(st.lists(UPDATES, max_size=6), st.booleans())
def test_no_sequence_of_changes_leaves_the_range_or_skips_a_version(
    rounds: list[dict[str, object]], agreed: bool
) -> None:
    current = DEFAULTS
    versions = [current]
    for updates in rounds:
        decision = change(updates, current=current, approved_by="Emil" if agreed else None)
        assert (decision.version is None) != decision.verdict.allowed
        if decision.version is not None:
            current = decision.version
            versions.append(current)
    for earlier, later in itertools.pairwise(versions):
        assert later.version == earlier.version + 1
        assert later.changes
        if not agreed:
            assert not any(c.dangerous for c in later.changes)
    for name, value in current.values.items():
        assert read_value(BY_NAME[name], value).problem is None
    rules = account_rules(current)
    assert rules.drawdown.soft_share <= rules.drawdown.hard_share <= rules.drawdown.total_share
