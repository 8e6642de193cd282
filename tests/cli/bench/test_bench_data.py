"""The rate of an import, apart from what else the machine does."""

import math
import os

from cli.bench.data import of_free_cores, processor_seconds


def test_the_slower_of_importer_and_server_bounds_the_rate():
    assert of_free_cores(1_000_000, 2.0, 4.0) == 250_000
    assert of_free_cores(1_000_000, 5.0, 4.0) == 200_000


def test_a_rate_of_what_is_not_known_is_none():
    assert math.isnan(processor_seconds(2**22 + 1))
    assert of_free_cores(1_000_000, 2.0, processor_seconds(2**22 + 1)) is None
    assert processor_seconds(os.getpid()) >= 0
