"""Where the recorded exchange messages are: beside the checkout."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

RECORDINGS = Path(__file__).resolve().parents[2].parent / "shared" / "kraken-recordings"

needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(), reason="the recordings are not beside the checkout"
)


def websocket_frames(name: str) -> list[bytes]:
    return [line for line in (RECORDINGS / "ws-v2" / name).read_bytes().splitlines() if line]


def rest_answer(path: str) -> Any:
    return json.loads((RECORDINGS / "rest" / path).read_text(), parse_float=Decimal)["result"]


def rest_files(kind: str, pattern: str) -> list[Path]:
    return sorted((RECORDINGS / "rest" / kind).glob(pattern))
