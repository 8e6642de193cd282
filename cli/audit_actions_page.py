"""The page of everything that is recorded: ``python -m cli.audit_actions_page``."""

from pathlib import Path

from models.trading.governance.record.actions import ACTIONS, Action

PAGE = Path(__file__).parents[1] / "docs" / "audit-actions.md"

_HEAD = """# What the record of actions tells

Made by `python -m cli.audit_actions_page` from `models/trading/governance/record/actions.py`; a
test compares, and finds every place in the code that writes a row: nothing else is recorded.

Each row has time, actor, account, action, details (what was before and after, the reason) and a
correlation (`trade/7`, `approval/…`, `kill-switch/3`), and in `context` the version of the code,
the versions of the account's and the platform's settings in force, the id of the HTTP request, and
the version of the learned model, where its decision on an idea stands behind the row.
For what is marked a checkpoint of the record is made at once.

| Name | In the row | Means | Checkpoint |
|---|---|---|---|
"""


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(_line(action) for action in sorted(ACTIONS, key=lambda a: a.name))


def _line(action: Action) -> str:
    mark = "at once" if action.urgent else ""
    return f"| `{action.name}` | `{action.code}` | {action.meaning} | {mark} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
