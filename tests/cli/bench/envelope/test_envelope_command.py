"""`aether bench cluster`: from a report of the scale benchmark, or a refusal."""

import json

from typer.testing import CliRunner

from cli.bench.command import app
from infra.runtime.errors import ConfigurationError
from tests.cli.bench.envelope.test_envelope_cluster import a_report

RUNNER = CliRunner()


def test_a_cluster_is_sized_by_what_was_measured(tmp_path):
    path = tmp_path / "scale.json"
    path.write_text(json.dumps(a_report()))
    words = ["cluster", "--accounts", "10000", "--hourly", "3.6", "--scale", str(path)]
    done = RUNNER.invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    (trading,) = (part for part in found["clusters"]["10000"] if part["part"] == "trading")
    assert trading["shards"] == 86
    assert all(row["holds"] for row in found["checked"])
    shown = RUNNER.invoke(app, words).output
    assert "not built yet: trading" in shown
    assert "12 of 12 measured states" in shown


def test_without_measurements_there_is_no_law(tmp_path):
    error = RUNNER.invoke(app, ["cluster", "--scale", str(tmp_path / "none")]).exception
    assert isinstance(error, ConfigurationError)
    assert "no law without measurements" in str(error)
