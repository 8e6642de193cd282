"""`make day`: a scripted day on recorded candles, proved by what the platform recorded."""

import argparse
import signal
import sys
import threading
import time
import traceback
from contextlib import nullcontext
from pathlib import Path

import httpx

from tests.day import crash, evening, morning
from tests.day.desk import Desk
from tests.day.recording import BAR, Recording, worst_day
from tests.day.report import RESULT, Report
from tests.support.own_stack import own_home, stack_in

PATIENCE_SECONDS = 240.0


def main() -> int:
    """Play the day, tell, write; 1 when a check does not hold."""
    options = _options()
    # So that the stack goes down with whoever is told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    report, started = Report(), time.monotonic()
    with worst_day() as recording:
        try:
            _play(report, recording, options)
        except Exception as error:  # noqa: BLE001  # whatever ends the day early is its result
            traceback.print_exc()
            report.check("the day was played to its end", {repr(error): False})
        about = {
            "day": recording.day,
            "greatest_fall": round(recording.fall, 4),
            "files": [path.name for path in recording.paths],
            "seconds": round(time.monotonic() - started, 1),
        }
        report.write(about)
    held = sum(check["ok"] for check in report.checks)
    sys.stdout.write(
        f"{held} of {len(report.checks)} checks hold, {about['seconds']} s: {RESULT}\n"
    )
    return 0 if report.is_good else 1


def _play(report: Report, recording: Recording, options: argparse.Namespace) -> None:
    market = "replay:" + ",".join(str(path) for path in recording.paths)
    environment = {"MARKET": market, "SPEED": "lockstep"}
    beginning = recording.bars["BTC"][0]["ts"] + BAR
    holder = threading.Thread(target=_hold, args=(options.port_base, beginning.isoformat()))
    holder.start()
    with (
        nullcontext(options.home) if options.home else own_home() as home,
        stack_in(home, options.port_base, **environment) as stack,
    ):
        holder.join()
        desk = Desk(stack, recording)
        try:
            desk.go_to(beginning)
            for part in (morning, crash, evening):
                part.play(desk, report)
        finally:
            desk.close()


def _hold(port_base: int, at: str) -> None:
    """Hold the market before its first bar ends, as soon as the exchange is there."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            url = f"http://127.0.0.1:{port_base + 3}/control/hold"
            httpx.post(url, json={"at": at}, timeout=5, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.02)
        else:
            return


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make day", description=__doc__)
    options.add_argument("--port-base", type=int, default=21780)
    options.add_argument("--home", type=Path, help="keep the stack's state and logs here")
    return options.parse_args()


if __name__ == "__main__":
    sys.exit(main())
