"""The catalogue is closed: every place that records names one of its actions, and each is named."""

import ast
import re
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

from cli.audit_actions_page import PAGE, page
from models.trading.account.state import HaltKind
from models.trading.governance.approval import ApprovalStatus
from models.trading.governance.record.actions import ACTIONS, BY_CODE, name_of
from models.trading.refusals.repetition import Requested

ROOT = Path(__file__).parents[5]
PRODUCT = ("activities", "api", "cli", "infra", "models", "workers", "workflows")

ARGUMENT = {
    "RecordAccount": 0,
    "RecordTrade": 0,
    "note_event": 0,
    "_fail": 0,
    "AuditEntry": 2,
    "_record_of": 2,
    "_change": 3,
    "audit": 2,
    "audit.append": 3,
}
"""Which argument of what records is the action; ``audit`` is the journal's method."""

PRIVATE = {
    "_fail": "activities/record/keeper.py",
    "_record_of": "models/trading/account/decisions.py",
    "_change": "models/trading/account/settings/changes.py",
}
"""Functions of one module, which hand an action on to what records."""

HANDED_ON = {
    "activities/accounts/records.py": {"request.action"},
    "activities/adapters/postgres/orders/trade_journal.py": {"event"},
    "activities/adapters/postgres/accounts/account_journal.py": {"action"},
    "models/trading/account/decisions.py": {"action", "new[0].kind.value"},
    "models/trading/account/settings/changes.py": {"action"},
    "models/trading/trade/decisions.py": {"event"},
    "workers/upkeep/recording.py": {"action"},
}
"""Where an action is only handed on; it is named, and found here, where it comes from."""

final = [status.value for status in ApprovalStatus if status.is_final]
FILLED = {
    "approval_*": [f"approval_{status}" for status in ("asked", *final)],
    "entry_*": [f"entry_{status}" for status in final if status != "approved"],
    "settings_change_*": [f"settings_change_{status}" for status in final if status != "approved"],
    "universe_change_*": ["universe_change_applied", "universe_change_refused"],
    "*_blocked": [f"{what.value}_blocked" for what in Requested],
    "*_restored": ["account_restored", "stream_restored", "hedge_restored", "trade_restored"],
}
"""What the code composes, and everything that may come of it."""

HALTS = {HaltKind.REQUEST_BLOCKED.value, HaltKind.HOLDING_SHORT.value}
"""The halts that a trade's progress begins: the row is named after them."""


WRITTEN_IN_SQL = re.compile(
    r"PERFORM (?:write_audit|audit_kill_switch|record_person)\((.*?);", re.DOTALL
)
SENT_AS_SQL = re.compile(r"SELECT write_audit\(%s, 'aether', '([a-z_]+)'")


def values(node, scope):
    """Return what an expression may be: texts, ``*`` for what is composed, or ``?expression``."""
    match node:
        case ast.Constant():
            return [node.value] if isinstance(node.value, str) else []
        case ast.IfExp():
            return values(node.body, scope) + values(node.orelse, scope)
        case ast.JoinedStr():
            parts = [v.value if isinstance(v, ast.Constant) else "*" for v in node.values]
            return ["".join(parts)]
        case ast.Name():
            assigned = [
                value
                for one in ast.walk(scope)
                if isinstance(one, ast.Assign)
                and any(isinstance(t, ast.Name) and t.id == node.id for t in one.targets)
                for value in values(one.value, scope)
            ]
            return assigned or [f"?{node.id}"]
    return [f"?{ast.unparse(node)}"]


def called(call):
    """Return which entry of ARGUMENT a call is, None for another call."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id if function.id not in ("audit", "append") else None
    if not isinstance(function, ast.Attribute):
        return None
    owner = ast.unparse(function.value)
    if function.attr == "append":
        return "audit.append" if owner == "audit" else None
    if function.attr == "audit":
        return "audit" if "journal" in owner else None
    return function.attr


def recording_calls(tree, name):
    """Return each call that records, with the function that it stands in."""
    inner = {}
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            inner |= {id(n): (n, scope) for n in ast.walk(scope) if isinstance(n, ast.Call)}
    for call, scope in inner.values():
        what = called(call)
        if what in ARGUMENT and PRIVATE.get(what, name) == name:
            given = dict(enumerate(call.args)).get(ARGUMENT[what])
            named = next((k.value for k in call.keywords if k.arg == "action"), None)
            if (value := given or named) is not None:
                yield value, scope


@cache
def emitted():
    """Return every action that the product's code names, with the files that do."""
    found = {}
    for file in (f for root in PRODUCT for f in (ROOT / root).rglob("*.py")):
        name, source = str(file.relative_to(ROOT)), file.read_text()
        for call in WRITTEN_IN_SQL.findall(source):
            if literal := re.search(r"'([a-z]+_[a-z_]+)'", call):
                found.setdefault(literal[1], set()).add(name)
        for literal in SENT_AS_SQL.findall(source):
            found.setdefault(literal, set()).add(name)
        for given, scope in recording_calls(ast.parse(source), name):
            for value in values(given, scope):
                found.setdefault(value, set()).add(name)
    return found


def test_nothing_is_recorded_that_the_catalogue_does_not_know():
    for value, files in emitted().items():
        if value.startswith("?"):
            for file in files:
                assert value[1:] in HANDED_ON.get(file, ()), (file, value)
        elif "*" in value:
            assert set(FILLED[value]) <= set(BY_CODE), value
        else:
            assert value in BY_CODE, (value, files)
    assert set(BY_CODE) >= HALTS


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.code)
def test_each_action_is_recorded_somewhere(action):
    named = set(emitted()) | HALTS
    composed = {code for value in named if "*" in value for code in FILLED[value]}
    assert action.code in named | composed
    assert any(fnmatch(action.code, value) for value in named)


def test_names_are_source_subject_and_action_and_no_two_are_the_same():
    names = [action.name for action in ACTIONS]
    assert all(re.fullmatch(r"[a-z]+:[a-z-]+:[a-z-]+", name) for name in names)
    assert len(set(names)) == len(names) == len(BY_CODE)
    assert name_of("trade_opened") == "exchange:trade:opened"
    assert name_of("of another version") == ""


def test_the_page_is_that_of_the_catalogue():
    assert PAGE.read_text() == page(), "python -m cli.audit_actions_page writes it anew"
