"""Why an upgrade goes back is said in words: what `aether verify` found."""

import json
import subprocess

import pytest

from cli.commands.platform.upgrade import _violated

FINDING = {
    "invariant": "unprotected_positions",
    "account": "company",
    "subject": "BTC/USD",
    "detail": "0.1 without a stop",
    "seconds": 31.0,
}


def answer(code: int, stdout: str, stderr: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess(["aether", "verify"], code, stdout, stderr)


def test_each_finding_is_named() -> None:
    told = json.dumps({"findings": [FINDING, FINDING | {"account": "director-1"}]})
    why = _violated(answer(1, told))
    assert why == (
        "aether verify: unprotected_positions: company 0.1 without a stop; "
        "unprotected_positions: director-1 0.1 without a stop"
    )


@pytest.mark.parametrize("stdout", ["", "no such thing", "[]", '{"findings": null}'])
def test_without_findings_its_last_words_are_told(stdout: str) -> None:
    why = _violated(answer(2, stdout, "error: the record does not answer\n"))
    assert why == "aether verify: error: the record does not answer"


def test_what_is_clean_is_no_reason() -> None:
    assert _violated(answer(0, json.dumps({"findings": []}))) == ""
