"""YAML from elsewhere: bounded, without references, and of values that can be kept."""

import pytest

from cli.documents import LONGEST_DOCUMENT, read_yaml
from models.trading.bounds import OutOfBoundsError

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a {b: *a}",
        "[" * 17 + "]" * 17,
        "[" * 50_000,
        "x" * (LONGEST_DOCUMENT + 1),
        'settings: {"day.zone": "UTC\\0"}',
        "settings: {a: " + "9" * 5000 + "}",
        "settings: [" + "x, " * 501 + "]",
        "a: 2026-13-99",
    ],
)
def test_document_out_of_bounds_is_refused(text):
    with pytest.raises(OutOfBoundsError) as refused:
        read_yaml(text)
    assert len(str(refused.value)) < 300


def test_export_is_read_as_it_was_written():
    text = "settings:\n  risk.risk_share: '0.004'\n  compliance.sanctioned: [ABC, DEF]\n"
    values = {"risk.risk_share": "0.004", "compliance.sanctioned": ["ABC", "DEF"]}
    assert read_yaml(text) == {"settings": values}
