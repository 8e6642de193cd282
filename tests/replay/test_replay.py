"""Histories of earlier versions still replay, and no command moved without being noticed."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from infra.runtime.temporal.client import data_converter
from infra.runtime.temporal.workers import sandbox_runner
from tests.replay.fingerprints import BASELINE, fingerprints
from tests.support.temporal import TRADING_WORKFLOWS
from workflows.market.data import MarketDataWorkflow

HERE = Path(__file__).parent
HISTORIES = sorted((HERE / "histories").glob("*.json"))
RELEASED = sorted((HERE / "releases").glob("*/*.json"))
"""As the code of each release has written them; never recorded anew. An installation that goes on
from that release has such histories open."""


def a_history(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(path.stem, path.read_text())


def test_histories_are_there() -> None:
    rules = {"hedge", "daily-reset", "approval"}
    data = {"market-data-history", "market-data-sanctions", "market-data-sentiment"}
    assert rules | data | {"account", "kill-switch", "trade-1", "trade-6"} <= {
        p.stem for p in HISTORIES
    }


def test_every_release_has_left_its_histories() -> None:
    releases = {path.parent.name for path in RELEASED}
    assert "0.1.0" in releases
    for release in releases:
        names = {path.stem for path in RELEASED if path.parent.name == release}
        assert {"account", "trade-1", "kill-switch", "stream", "hedge", "approval"} <= names


@pytest.mark.parametrize("path", [*HISTORIES, *RELEASED], ids=lambda p: f"{p.parent.name}/{p.stem}")
async def test_recorded_history_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=[*TRADING_WORKFLOWS, MarketDataWorkflow],
        workflow_runner=sandbox_runner(),
        data_converter=data_converter([]),
    )
    await replayer.replay_workflow(a_history(path))


def test_commands_are_those_of_the_baseline() -> None:
    assert fingerprints() == json.loads(BASELINE.read_text()), (
        "the commands of a story changed: patch it, or show that no open history reaches it, then "
        "run `python -m tests.replay.fingerprints` and `python -m tests.replay.record`"
    )
