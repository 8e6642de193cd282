"""The ordered commands in each story's source: what a running history depends on.

``python -m tests.replay.fingerprints`` writes the baseline after a deliberate change, which needs
`workflow.patched` or the proof that no open history reaches the changed place.
"""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
BASELINE = Path(__file__).with_name("fingerprints.json")
COMMANDS = {
    "execute_activity",
    "execute_activity_method",
    "start_activity_method",
    "start_child_workflow",
    "upsert_search_attributes",
    "continue_as_new",
    "signal",
    "sleep",
    "wait",
    "wait_condition",
    "patched",
    "deprecate_patch",
    "get_external_workflow_handle",
}


def fingerprints() -> dict[str, list[str]]:
    """Return for each workflow module its command calls, function by function, in order."""
    found = {}
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        commands = _commands(ast.parse(path.read_text()))
        if commands:
            found[path.relative_to(ROOT / "workflows").with_suffix("").as_posix()] = commands
    return found


def _commands(tree: ast.Module) -> list[str]:
    rows = []
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        calls = [n for n in ast.walk(scope) if isinstance(n, ast.Call)]
        for call in sorted(calls, key=lambda n: (n.lineno, n.col_offset)):
            if isinstance(call.func, ast.Attribute) and call.func.attr in COMMANDS:
                target = ast.unparse(call.args[0]) if call.args else ""
                rows.append(f"{scope.name}: {call.func.attr} {target}".strip())
    return rows


if __name__ == "__main__":
    BASELINE.write_text(json.dumps(fingerprints(), indent=1) + "\n")
