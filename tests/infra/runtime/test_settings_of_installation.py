"""Settings come from the environment only, and say what is wrong with them."""

import pytest
from pydantic import ValidationError

from infra.runtime.settings import Settings
from infra.runtime.telemetry import degraded_modes


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    for name in ("MARKET", "SPEED", "AETHER_PORT_BASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AETHER_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("market", "speed", "expected"),
    [
        ("generated", "", "10"),
        ("replay:x.json", "", "60"),
        ("kraken", "", "1"),
        ("kraken", "2.5", "2.5"),
        ("generated", "lockstep", "lockstep"),
    ],
)
def test_speed_in_force_depends_on_the_market_unless_set(monkeypatch, market, speed, expected):
    monkeypatch.setenv("MARKET", market)
    monkeypatch.setenv("SPEED", speed)
    assert Settings().market_speed == expected


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast", "1e9"])
def test_speed_that_is_no_pace_is_refused(monkeypatch, speed):
    monkeypatch.setenv("SPEED", speed)
    with pytest.raises(ValidationError, match="SPEED"):
        Settings()


def test_empty_variables_count_as_unset(monkeypatch):
    monkeypatch.setenv("MARKET", "")
    monkeypatch.setenv("AETHER_PORT_BASE", "")
    settings = Settings()
    assert settings.market == "generated"
    assert "market" not in settings.model_fields_set


def test_ports_of_one_stack_never_meet_those_of_the_next():
    one, other = Settings(port_base=21400), Settings(port_base=21410)
    ports = [value for name, value in _ports(one)]
    assert len(set(ports)) == len(ports)
    assert not set(ports) & {value for _, value in _ports(other)}


def _ports(settings):
    return [(n, getattr(settings, n)) for n in dir(Settings) if n.endswith("_port")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MARKET", "replay:" + "x" * 8_000),
        ("MARKET", "replay:line\nbreak"),
        ("AETHER_BAR_MINUTES", "0"),
        ("AETHER_SEED", "9" * 30),
        ("AETHER_LOG_LEVEL", "\x7f"),
    ],
)
def test_value_out_of_bounds_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("market", "set_to", "minutes"),
    [
        ("kraken", "", 15),
        ("generated", "", 1),
        ("kraken", "5", 5),
        ("generated", "15", 15),
        ("replay:data/XBTUSD_60.csv", "5", 60),
    ],
)
def test_bars_are_long_enough_for_the_market_and_say_why(monkeypatch, market, set_to, minutes):
    """A minute of most pairs on Kraken has too few trades for volatility to mean anything."""
    monkeypatch.setenv("MARKET", market)
    monkeypatch.setenv("AETHER_BAR_MINUTES", set_to)
    assert Settings().market_bar_minutes == minutes
    assert Settings.__doc__ is not None
    assert "too few trades for" in Settings.__doc__


def test_prices_that_no_second_source_confirms_are_a_degraded_mode(monkeypatch):
    def named() -> bool:
        return any(
            "no second source" in one for one in degraded_modes(Settings(), hypertables=True)
        )

    assert not named(), "a generated market has no other source"
    monkeypatch.setenv("MARKET", "kraken")
    assert named()
    monkeypatch.setenv("AETHER_SECOND_FEED", "https://api.coingecko.com/api/v3/")
    assert not named()
