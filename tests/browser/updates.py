"""Change trades at a steady pace: ``python -m tests.browser.updates URL ACCOUNT RATE``.

Each update is a transaction of its own, as a trade's are. Trades are changed one after the other,
round and round, each to the number of its update, so that what must stand at the end is known. It
goes on until its input ends and prints what it did as one line of JSON.
"""

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass

import psycopg

CHANGE = """
    UPDATE trades SET fees = %s, updated_at = clock_timestamp()
    WHERE account_id = %s AND number = %s
"""


@dataclass
class Done:
    """How many updates were made in how many seconds; ``late``: the longest that one was late.

    ``trades``: how many are changed; update n is that of trade ``n % trades + 1``.
    """

    trades: int
    updates: int = 0
    seconds: float = 0.0
    late: float = 0.0


def change(
    connection: psycopg.Connection, account: str, rate: float, stop: threading.Event
) -> Done:
    """Make ``rate`` updates a second until told to stop; what was late is caught up."""
    (count,) = connection.execute("SELECT count(*) FROM trades").fetchone() or (0,)
    done, begun = Done(count), time.monotonic()
    while not stop.is_set():
        due = begun + done.updates / rate
        now = time.monotonic()
        if now < due:
            stop.wait(due - now)
            continue
        done.late = max(done.late, now - due)
        connection.execute(CHANGE, (done.updates, account, done.updates % count + 1))
        done.updates += 1
    done.seconds = time.monotonic() - begun
    return done


def main() -> None:
    url, account, rate = sys.argv[1:]
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT set_config('aether.account_id', %s, false)", (account,))
        sys.stdout.write(json.dumps(asdict(change(connection, account, float(rate), stop))) + "\n")


if __name__ == "__main__":
    main()
