"""What the page says is kept how long is what the code keeps."""

import re
from pathlib import Path

from activities.market import figures
from activities.record import requested_packs
from api import retention
from api.live import hub
from infra.runtime.settings import Settings
from infra.stack import temporal_server
from infra.stack.programs import supervision

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def _rows():
    text = PAGE.read_text().partition("## What is kept how long\n")[2].partition("\n## ")[0]
    rows = [row.strip("|").split(" | ") for row in text.splitlines() if row.startswith("| ")][1:]
    return {row[0].strip(): row[1].strip() for row in rows}


def test_times_are_those_of_the_code():
    rows, fields = _rows(), Settings.model_fields
    for what, kept in {
        "answered requests (`requests`)": f"{fields['request_days'].default} days",
        "failed sign-ins": f"{retention.FAILURES_KEPT.total_seconds() / 3600:.0f} hour",
        "events of the live stream (`record_events`)": f"{hub.KEPT.days} days",
        "files of evidence packs that people asked for": f"{requested_packs.KEPT.days} days",
        "figures of trading (`market_figures`)": f"{figures.KEPT.days} days",
        "histories of workflows that ended": f"{temporal_server.RETENTION.days} days",
        "backups": f"the newest {fields['backup_keep'].default} ",
    }.items():
        assert rows[what].startswith(kept), what
    assert f"{fields['events_room'].default:,}" in rows["events for a broker (`event_outbox`)"]
    logs = f"{supervision.LOG_BYTES // 1_000_000} MB and {supervision.LOG_FILES} older files"
    assert rows["logs in `AETHER_HOME/logs`"].startswith(logs)


def test_what_is_kept_for_ever_is_deleted_by_nobody():
    named = " ".join(what for what, kept in _rows().items() if kept == "for ever")
    tables = set(re.findall(r"`([a-z_]+)`", named))
    assert {"candles", "nav_marks", "history_candles"} <= tables
    deleted = re.compile(rf"(?i)(delete from|drop_chunks\(\W*)\s*({'|'.join(tables)})\b")
    assert deleted.search("DELETE FROM nav_marks WHERE")
    root = PAGE.parents[1]
    for package in ("activities", "api", "infra", "workers"):
        for path in (root / package).rglob("*.py"):
            assert not deleted.search(path.read_text()), path
