"""Measure book updates per second on one core: parsed, applied, checksum verified.

Usage: python bench/feed.py RECORDED.jsonl [SECONDS]
"""

import sys
import time
from pathlib import Path

import orjson

from activities.adapters.kraken.book import Book


def main() -> int:
    """Loop a recorded book file for a while and print the rate."""
    frames = [
        line for line in Path(sys.argv[1]).read_bytes().splitlines() if b'"channel":"book"' in line
    ]
    frames = [line for line in frames if b'"type":"' in line]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    book = Book(price_precision=1, quantity_precision=8, depth=10)
    updates = failures = 0
    started = time.process_time()
    while (elapsed := time.process_time() - started) < seconds:
        for line in frames:
            frame = orjson.loads(line)
            apply = book.replace if frame["type"] == "snapshot" else book.update
            failures += not apply(frame["data"][0])
        updates += len(frames)
    print(f"{updates / elapsed:,.0f} updates/s of CPU time, {failures} checksum failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
