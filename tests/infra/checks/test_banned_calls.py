"""The ban on clocks, randomness and ids below the compositions, as ruff applies it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PLANTED = (
    "from datetime import datetime\nx = datetime.now()\n",
    "from datetime import date\nx = date.today()\n",
    "import time\nx = time.time()\n",
    "import time\ntime.sleep(1)\n",
    "from uuid import uuid4\nx = uuid4()\n",
    "import random\nx = random.random()\n",
    "import secrets\nx = secrets.token_hex()\n",
    "import os\nx = os.urandom(8)\n",
)


def banned(place: str, text: str) -> str:
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--no-cache"]
    command += ["--output-format", "concise", "--stdin-filename", str(ROOT / place), "-"]
    done = subprocess.run(
        command, input=text, text=True, capture_output=True, cwd=ROOT, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


@pytest.mark.parametrize("text", PLANTED)
@pytest.mark.parametrize("place", ["models/trading/planted.py", "activities/market/planted.py"])
def test_a_planted_call_is_found(place: str, text: str) -> None:
    assert "TID251" in banned(place, text)


@pytest.mark.parametrize("place", ["workflows/planted.py", "activities/adapters/planted.py"])
def test_workflows_and_adapters_are_below_too(place: str) -> None:
    assert "TID251" in banned(place, "import random\n")


@pytest.mark.parametrize("place", ["workers/planted.py", "infra/planted.py", "api/planted.py"])
def test_compositions_read_the_clock(place: str) -> None:
    for text in PLANTED:
        assert "TID251" not in banned(place, text)
