"""The two loads of the envelope: entries and reads, each sent when it is due, whoever is late.

Times count from when a request was due: who falls behind does not hide it by asking less.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from cli.bench.load import Load
from cli.client import ApiClient
from infra.runtime.errors import PlatformError

AT_ONCE = 64
READS = ("/accounts", "/status", "/accounts/{account}/trades", "/accounts/{account}/portfolio")
"""What a control room asks for."""
_KIND = re.compile(r"\[\S*:([\w-]+)\]")


@dataclass(slots=True)
class Reads:
    """What came of the reads: milliseconds from due to answered, refusals by kind."""

    milliseconds: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    sent: int = 0


def send_entries(load: Load, accounts: Sequence[str], rate: float, seconds: float) -> int:
    """Open trades at a rate, in turn over accounts and pairs; return how many were asked for."""
    pairs, prices = load.pairs, load.prices()
    count = max(1, round(rate * seconds))
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(count):
            account = accounts[number % len(accounts)]
            symbol = pairs[(number // len(accounts) + number) % len(pairs)]
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            threads.submit(load.open_now, account, symbol, prices[symbol], "separate")
    return count


def send_reads(api: ApiClient, accounts: Sequence[str], rate: float, seconds: float) -> Reads:
    """Ask what a control room asks, at a rate."""
    found, lock = Reads(), threading.Lock()
    began = time.monotonic()

    def ask(number: int, due: float) -> None:
        path = READS[number % len(READS)].format(account=accounts[number % len(accounts)])
        try:
            api.get(path)
        except PlatformError as error:
            with lock:
                found.refused[kind_of(str(error))] += 1
            return
        with lock:
            found.milliseconds.append((time.monotonic() - due) * 1000)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for number in range(max(1, round(rate * seconds))):
            due = began + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            found.sent += 1
            threads.submit(ask, number, due)
    return found


def kind_of(refusal: str) -> str:
    """Return the kind of a refusal by its text: the problem's type, else the text itself."""
    found = _KIND.search(refusal)
    return found.group(1) if found else refusal[:80]
