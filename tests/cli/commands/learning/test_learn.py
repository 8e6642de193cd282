"""`aether learn`: what it sends, and what it says of a training."""

import pytest
from typer.testing import CliRunner

from cli.commands.learning import learn

TRAINING = {
    "run_id": "r1", "requested_by": "user/anna", "reason": "drift", "finished": 1, "planned": 4,
    "passed": None, "seconds_left": 90.0, "candidate": None, "reasons": [], "shadow": None,
    "cancelled_by": None,
}  # fmt: skip


@pytest.fixture
def sent(monkeypatch):
    """Return the commands that were sent, to an API that takes each."""
    found = []

    class Api:
        def __init__(self, _):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def post(self, path, body, key):
            found.append((path, body, key))
            return {"run_id": path.split("/")[3]}

    monkeypatch.setattr(learn, "ApiClient", Api)
    return found


def test_training_is_cancelled_under_its_key(sent):
    done = CliRunner().invoke(learn.app, ["cancel", "r1", "--key", "k"])
    assert done.exit_code == 0, done.output
    assert "training r1 is cancelled" in done.output
    assert sent == [("/learning/trainings/r1/cancel", {}, "k")]


def test_status_tells_why_a_training_was_wanted_and_who_cancelled_it():
    assert learn._training(TRAINING) == (
        "r1 by user/anna (drift): 1 of 4 trials, about 90 s left"
    )  # fmt: skip
    cancelled = learn._training({**TRAINING, "cancelled_by": "user/bert"})
    assert cancelled == "r1 by user/anna (drift): 1 of 4 trials, cancelled by user/bert"


def test_drift_tells_what_has_moved_and_what_is_not_known():
    moved = {"feature": "trend", "index": 0.5, "limit": 0.31, "moved": True}
    found = {
        "model": "r1", "measured_at": "T", "vectors": 80, "features": [moved], "unknown": "",
    }  # fmt: skip
    assert learn._drift(found) == [
        "champion r1, 80 vectors, at T",
        "trend 0.50, at most 0.31 by chance: has moved",
    ]
    assert learn._drift({**found, "unknown": "too old"}) == ["champion r1: not known, too old"]
