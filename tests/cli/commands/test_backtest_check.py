"""`aether backtest --check` passes what is sound, and catches what was planted."""

import json
from dataclasses import dataclass, field, replace

import pytest
import typer

from models.trading.ideas import Idea, StrategyStanding
from models.trading.strategies import known
from models.trading.strategies.registry import StrategyRegistry
from tests.cli.commands.test_backtest import run, write_days

DAYS = 700


@dataclass(frozen=True)
class Planted:
    """Long above a level; what the level is made of, a subclass says."""

    name: str = "planted"
    version: str = "1"
    standing: StrategyStanding = StrategyStanding.SHADOW
    interval_minutes: int | None = 1440
    warm_up_bars: int = 20
    rebalances: bool = True
    sees_universe: bool = False
    memory: dict = field(default_factory=dict)

    def start(self):
        return ()

    def update(self, state, bar):
        self.memory[bar.start] = bar.close
        return (*state, bar)

    def level(self, state):
        raise NotImplementedError

    def propose(self, state, market, instrument, installation):
        bar, level = state[-1], self.level(state)
        return Idea(
            f"{self.name} {bar.start}",
            self.name,
            self.version,
            bar.symbol,
            bar.start,
            market.observed_at,
            level / 2,
            None,
            None,
            target_weight=int(bar.close > level),
        )


class ReadingTheFuture(Planted):
    """A cache of all bars ever seen, later ones included, as a careless normalisation has it."""

    def level(self, state):
        return sum(self.memory.values()) / len(self.memory)


class RestingOnItsStart(Planted):
    """An average whose weight never fades."""

    def level(self, state):
        return sum(bar.close for bar in state) / len(state)


class Forgetting(Planted):
    """An average of what its warm-up holds."""

    def level(self, state):
        last = state[-self.warm_up_bars :]
        return sum(bar.close for bar in last) / len(last)


class Silent(Planted):
    """One that decides nothing."""

    def propose(self, state, market, instrument, installation):
        return None


def checked(capsys, monkeypatch, tmp_path, strategy, **options):
    registry = StrategyRegistry((strategy,))
    monkeypatch.setattr("activities.learning.strategy_trials.known", lambda: registry)
    write_days(tmp_path / "kraken", days=DAYS)
    with pytest.raises(typer.Exit) as ended:
        run(capsys, tmp_path, strategy=[strategy.name], check=True, **options)
    return ended.value.exit_code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("kind", "verdicts", "code"),
    [
        (ReadingTheFuture, {"look-ahead": False}, 1),
        (RestingOnItsStart, {"look-ahead": True, "recursive warm-up": False}, 1),
        (Forgetting, {"look-ahead": True, "recursive warm-up": True}, 0),
        (Silent, {"look-ahead": None, "recursive warm-up": None}, 1),
    ],
)
def test_each_check_says_what_it_found(capsys, monkeypatch, tmp_path, kind, verdicts, code):
    ended, printed = checked(capsys, monkeypatch, tmp_path, kind())
    [found] = json.loads(printed)
    said = {one["check"]: one["passed"] for one in found["verdicts"]}
    assert {name: said[name] for name in verdicts} == verdicts
    assert ended == code
    assert found["passed"] is (code == 0)
    assert all(one["detail"] for one in found["verdicts"])


def test_too_few_bars_are_no_pass(capsys, monkeypatch, tmp_path):
    slow = replace(Forgetting(), warm_up_bars=300)
    ended, printed = checked(capsys, monkeypatch, tmp_path, slow, as_json=False)
    assert ended == 1
    assert "recursive warm-up: cannot tell: 700 bars are too few" in printed


def test_shipped_strategy_passes_and_is_told_by_name(capsys, monkeypatch, tmp_path):
    strategy = known().by_name("donchian_ensemble")
    ended, printed = checked(capsys, monkeypatch, tmp_path, strategy, as_json=False)
    assert ended == 0
    assert "donchian_ensemble 1 on 700 bars of kraken BTC/USD" in printed
    assert printed.count(": passed: ") == 2
