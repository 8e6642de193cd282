"""Whatever goes wrong while builds are exchanged, the old one runs again and it is said why."""

import subprocess

import pytest
import typer

from cli.commands.platform import upgrade as module
from infra.runtime.errors import StartError, StateError
from infra.runtime.settings import Settings
from infra.stack import builds, embedded
from infra.stack.builds import Build, CommandError

NO_SPACE = OSError(28, "No space left on device")


class Old:
    """The old build; ``fails`` is what its commands raise, by name."""

    def __init__(self, **fails):
        self.fails, self.asked, self.version = fails, [], "1.0"

    def aether(self, *words):
        self.asked.append(words[0])
        failure = self.fails.get(words[0], 0)
        if isinstance(failure, Exception):
            raise failure
        return subprocess.CompletedProcess(words, failure, "", "it does not want to")


class Stack:
    """This build's processes, of which ``start`` and ``stop`` may fail."""

    def __init__(self, start=None, stop=None):
        self.fails_to_start, self.fails_to_stop, self.stopped = start, stop, False
        self.settings = self.supervisor = None

    def start(self, _tell):
        if self.fails_to_start:
            raise self.fails_to_start

    def stop(self):
        self.stopped = True
        if self.fails_to_stop:
            raise self.fails_to_stop


def exchange(monkeypatch, old, stack, observed=lambda *_: ""):
    report = module.Report("1.0", "2.0", backup="b-1")

    def made(_settings):
        if isinstance(stack, Exception):
            raise stack
        return stack

    monkeypatch.setattr(module, "Stack", made)
    monkeypatch.setattr(module, "wait_until_ready", lambda *_: {})
    monkeypatch.setattr(module, "_observed", observed)
    code = 0
    try:
        module._exchange(None, old, report, 0.0)
    except typer.Exit as left:
        code = left.exit_code
    assert code == (module.EXIT_WENT_BACK if report.went_back else 0)
    return report


def test_what_stays_in_order_is_not_led_back(monkeypatch):
    old = Old()
    assert not exchange(monkeypatch, old, Stack()).went_back
    assert old.asked == ["down"]


@pytest.mark.parametrize(
    "failure",
    [
        NO_SPACE,
        subprocess.TimeoutExpired("workers.preparation", 180),
        StartError("refused"),
        RuntimeError("odd"),
        KeyboardInterrupt(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_start_that_fails_in_any_way_leads_back(monkeypatch, failure):
    old, stack = Old(), Stack(start=failure)
    report = exchange(monkeypatch, old, stack)
    assert report.went_back
    assert stack.stopped
    assert old.asked == ["down", "up"]
    assert str(failure) in report.why
    assert report.why


def test_observation_that_fails_leads_back(monkeypatch):
    def observed(*_):
        raise CommandError("aether verify of 2.0 did not end in 300 s")

    old = Old()
    report = exchange(monkeypatch, old, Stack(), observed)
    assert (report.went_back, old.asked) == (True, ["down", "up"])
    assert "did not end" in report.why


@pytest.mark.parametrize("failure", [CommandError("aether down of 1.0 did not end"), 1])
def test_old_build_that_does_not_stop_is_started_again(monkeypatch, failure):
    old = Old(down=failure)
    report = exchange(monkeypatch, old, Stack())
    assert (report.went_back, old.asked) == (True, ["down", "up"])
    assert "1.0 did not end" in report.why or "does not stop: it does not want to" in report.why


def test_place_of_processes_that_cannot_be_read_leads_back(monkeypatch):
    old = Old()
    assert exchange(monkeypatch, old, NO_SPACE).went_back
    assert old.asked == ["down", "up"]


def test_stop_that_fails_keeps_the_old_build_from_nothing(monkeypatch):
    old = Old()
    assert exchange(monkeypatch, old, Stack(start=NO_SPACE, stop=NO_SPACE)).went_back
    assert old.asked == ["down", "up"]


@pytest.mark.parametrize("failure", [CommandError("aether up of 1.0 did not end"), 1])
def test_old_build_that_does_not_start_is_said_with_the_way_out(monkeypatch, failure):
    with pytest.raises(StateError, match=r"the old one does not start: .*backup b-1"):
        exchange(monkeypatch, Old(up=failure), Stack(start=NO_SPACE))


@pytest.mark.parametrize(("took", "refused"), [(179.0, False), (181.0, True)])
def test_migration_that_a_start_would_give_up_is_refused_beforehand(took, refused):
    report = module.Report("1.0", "2.0", steps={module.MIGRATION: took})
    if not refused:
        module._require_time(report)
        return
    with pytest.raises(StateError, match=r"nothing was changed: .* 181 s.* 180 s"):
        module._require_time(report)


def test_command_that_does_not_end_is_a_reason_in_words(monkeypatch):
    def run(*_, **words):
        raise subprocess.TimeoutExpired("x", words["timeout"])

    monkeypatch.setattr(builds.subprocess, "run", run)
    with pytest.raises(CommandError, match="aether verify of 1 did not end in 300 s"):
        Build("/", "/bin/false", "1").aether("verify", "--json")
    monkeypatch.undo()
    with pytest.raises(CommandError, match="could not be started"):
        Build("/nowhere", "/bin/false", "1").aether("up")


def test_preparation_that_does_not_end_is_a_reason_in_words(monkeypatch, tmp_path):
    def run(*_, **words):
        raise subprocess.TimeoutExpired("x", words["timeout"])

    stack = embedded.Stack(Settings(home=tmp_path))
    monkeypatch.setattr(embedded.subprocess, "run", run)
    with pytest.raises(StartError, match="could not be prepared in 180 s"):
        stack._prepare(lambda _: None)
