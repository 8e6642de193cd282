"""How settings change: every change is a new version with author, reason and what was before.

A version is complete: it holds every value of its scope, so that a trade that names a version names
all that it was decided under. What lets more be lost is marked dangerous: its author has to confirm
it, or a second person to approve it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from models.trading.bounds import NAME_LENGTH, cleaned_text, text_problem
from models.trading.governance.approval import check_other_person
from models.trading.governance.freeze_windows import window_problem
from models.trading.settings.catalogue import (
    Danger,
    SettingDefinition,
    SettingScope,
    Value,
    read_value,
)
from models.trading.settings.definitions import BY_NAME, CATALOGUE, ORDERED
from models.trading.settings.exits import PREFIX, problems_of_exits
from models.trading.verdicts import Check, Verdict

GUARDS = (
    "approval.",
    "live.",
    "evidence.results_minimum",
    "evidence.prior_deviation",
    "evidence.deviations_below",
    "freeze.",
    "notifications.",
    "witness.",
)
"""Settings that say when a second person is asked: nobody loosens them alone, live or not."""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One value before and after, and whether the change lets more be lost."""

    name: str
    before: Value
    after: Value
    dangerous: bool


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """All values of one owner (an account, or ``platform``); version zero are the defaults.

    ``approved_by`` is the second person of a dangerous change. Stored and sent in plain form
    (``settings_records``): only the catalogue knows the type of each value.
    """

    owner: str
    scope: SettingScope
    version: int
    values: Mapping[str, Value]
    author: str
    reason: str
    at: datetime | None
    changes: tuple[SettingChange, ...] = ()
    approved_by: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Values as they come from outside. ``based_on`` is the version that the author saw.

    A dangerous change is ``confirmed`` by its author or ``approved_by`` another person. While money
    is ``live``, each takes another person, not only what loosens the guards themselves.
    """

    updates: Mapping[str, object]
    author: str
    reason: str
    at: datetime
    based_on: int
    approved_by: str | None = None
    confirmed: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class SettingsDecision:
    """The new version, None when refused. Dangerous changes need a confirmation or a second person.

    ``needs_approval``: nothing is wrong with the change but that nobody has agreed yet.
    ``needs_person``: its author agrees and it loosens what guards its author, so another person
    has to agree.
    """

    version: SettingsVersion | None
    changes: tuple[SettingChange, ...]
    verdict: Verdict
    needs_approval: bool = field(default=False)
    needs_person: bool = field(default=False)


def default_version(owner: str, scope: SettingScope) -> SettingsVersion:
    """Return the defaults as version zero."""
    values = {d.name: d.default for d in CATALOGUE if d.scope is scope}
    return SettingsVersion(owner, scope, 0, values, "aether", "defaults", None)


def decide_change(current: SettingsVersion, request: ChangeRequest) -> SettingsDecision:
    """Judge a change as a whole and make the next version of it; nothing is taken up in part."""
    read, problems = _read(current, request.updates)
    values = {**current.values, **read}
    changes = tuple(
        SettingChange(name, current.values[name], after, is_dangerous(BY_NAME[name], before, after))
        for name, after in sorted(read.items())
        if (before := current.values[name]) != after
    )
    checks = [
        *problems,
        *_check_order(values),
        *_check_windows(values),
        *_check_exits(values, read),
        _check("invalid-change", bool(request.author.strip()), "a change has an author"),
        _check("invalid-change", bool(request.reason.strip()), "a change has a reason"),
        _check_text("author", request.author),
        _check_text("reason", request.reason),
        _check("invalid-change", bool(changes) or bool(problems), "a change changes something"),
        _check(
            "outdated-change",
            request.based_on == current.version,
            f"based on version {request.based_on}, the present one is {current.version}",
        ),
    ]
    is_sound = all(check.passed for check in checks)
    dangerous = any(change.dangerous for change in changes)
    if dangerous:
        checks.append(_check_consent(request, changes))
    agreed = all(check.passed for check in checks)
    guard = _check_guard(request, changes)
    verdict = Verdict((*checks, guard))
    if not verdict.allowed:
        return SettingsDecision(
            None,
            changes,
            verdict,
            needs_approval=is_sound and dangerous,
            needs_person=agreed and not guard.passed and request.approved_by is None,
        )
    made = SettingsVersion(
        current.owner,
        current.scope,
        current.version + 1,
        values,
        request.author,
        request.reason,
        request.at,
        changes,
        request.approved_by if dangerous else None,
    )
    return SettingsDecision(made, changes, verdict)


def _check_consent(request: ChangeRequest, changes: tuple[SettingChange, ...]) -> Check:
    if request.approved_by is not None:
        return check_other_person(request.author, request.approved_by)
    dangerous = ", ".join(change.name for change in changes if change.dangerous)
    reason = f"lets more be lost and has to be confirmed: {dangerous}"
    return _check("confirmation-needed", request.confirmed, reason)


def _check_guard(request: ChangeRequest, changes: tuple[SettingChange, ...]) -> Check:
    """Require another person where what asks for another person is loosened, or live limits are."""
    guarded = GUARDS if not request.live else ("",)
    loosened = ", ".join(c.name for c in changes if c.dangerous and c.name.startswith(guarded))
    passed = not loosened or request.approved_by is not None
    reason = f"loosens what needs two people, and needs two itself: {loosened}"
    if request.live:
        reason = f"lets more real money be lost, which takes two people: {loosened}"
    return _check("second-person-needed", passed, reason)


def is_dangerous(definition: SettingDefinition, before: Value, after: Value) -> bool:
    """Tell whether a change of this setting lets more be lost."""
    if before == after or definition.danger is Danger.NONE:
        return False
    if definition.danger is Danger.ANY:
        return True
    raised = _size(after) > _size(before)
    return raised if definition.danger is Danger.RAISING else not raised


def _read(
    current: SettingsVersion, updates: Mapping[str, object]
) -> tuple[dict[str, Value], list[Check]]:
    if len(updates) > len(current.values):
        reason = f"{len(updates)} settings are changed, there are {len(current.values)}"
        return {}, [_check("invalid-setting", False, reason)]  # noqa: FBT003
    read: dict[str, Value] = {}
    problems = []
    for name, raw in sorted(updates.items()):
        if name not in current.values:
            known_as = cleaned_text(name, NAME_LENGTH)
            problem: str | None = f"{known_as} is no setting of the {current.scope.value}"
        else:
            outcome = read_value(BY_NAME[name], raw)
            problem = outcome.problem
            if outcome.value is not None:
                read[name] = outcome.value
        if problem is not None:
            problems.append(_check("invalid-setting", False, problem))  # noqa: FBT003
    return read, problems


def _check_text(what: str, text: str) -> Check:
    problem = text_problem(text)
    return _check("invalid-change", problem is None, f"the {what} {problem or 'is a text'}")


def _check_order(values: Mapping[str, Value]) -> list[Check]:
    checks = []
    for low, high in ORDERED:
        if low in values and high in values:
            passed = _size(values[low]) <= _size(values[high])
            reason = f"{low} {values[low]} is not above {high} {values[high]}"
            checks.append(_check("invalid-setting", passed, reason))
    return checks


def _check_windows(values: Mapping[str, Value]) -> list[Check]:
    windows = values.get("freeze.windows", ())
    given = windows if isinstance(windows, tuple) else ()
    problems = [window_problem(str(window)) for window in given]
    return [_check("invalid-setting", False, one) for one in problems if one]  # noqa: FBT003


def _check_exits(values: Mapping[str, Value], read: Mapping[str, Value]) -> list[Check]:
    """Refuse exits that could never take effect; those of an older version hold up nothing else."""
    if not any(name.startswith(PREFIX) for name in read):
        return []
    problems = problems_of_exits(values)
    return [_check("invalid-setting", False, f"exits: {one.reason}") for one in problems]  # noqa: FBT003


def _size(value: Value) -> Decimal:
    if isinstance(value, timedelta):
        return Decimal(int(value.total_seconds()))
    assert isinstance(value, Decimal | int)
    return Decimal(value)


def _check(code: str, passed: bool, reason: str) -> Check:
    return Check("configuration", code, passed, reason)
