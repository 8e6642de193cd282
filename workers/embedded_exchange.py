"""The exchange simulator as part of the stack: ``python -m workers.embedded_exchange``.

The same server as ``python -m workers.exchange``, configured by the installation's settings, with
its log as JSON and without announcing its keys: what is printed here ends in a log file.
"""

import sys
from typing import Any

import structlog

from infra.runtime import event_loop
from infra.runtime.http.guard import configured_names
from infra.runtime.logs import configure_logs
from infra.runtime.settings import Settings
from infra.runtime.state_directory import StateDirectory
from models.simulation.markets.replay import PathAssumption
from workers.exchange.errors import StartError
from workers.exchange.server import Options, serve
from workers.live_accounts import live_accounts_of

log = structlog.get_logger()


def main() -> int:
    """Serve until stopped; 2 with one line on standard error when it cannot start."""
    settings = Settings()
    configure_logs("exchange", settings.log_level)
    directory = StateDirectory(settings.home)
    options = Options(
        port=settings.exchange_port,
        market=settings.market,
        speed=settings.market_speed,
        state=directory.exchange,
        accounts=directory.exchange_accounts,
        seed=settings.seed,
        bar_minutes=settings.usual_bar_minutes,
        warmup_bars=240,
        path=PathAssumption(settings.replay_path),
        control_token=directory.control_token,
        host_names=configured_names(settings.host_names),
        live_accounts=live_accounts_of(settings),
    )
    try:
        event_loop.run(serve(options, _announce))
    except StartError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _announce(description: dict[str, Any]) -> None:
    shown = {name: value for name, value in description.items() if name != "keys"}
    log.info("exchange_listening", **shown)


if __name__ == "__main__":
    sys.exit(main())
