"""Known vulnerabilities: what is not known of a package is never taken for nothing known."""

import json
import sys

import pytest

from infra.checks.dependencies import CLEAN, KNOWN, NOT_HAD, audit

FINE = {"name": "fine", "version": "1", "vulns": []}
BAD = {
    "name": "bad",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["3"], "description": ""}],
}
UNMENDED = {
    "name": "worse",
    "version": "4",
    "vulns": [{"id": "PYSEC-2", "aliases": [], "fix_versions": [], "description": ""}],
}
SKIPPED = {"name": "private", "skip_reason": "Dependency not found on PyPI"}


@pytest.fixture
def look_up(tmp_path, capsys):
    """Audit a lock for each answer, by a program that gives it; return the code and the words."""

    def run(*answers):
        locks = []
        for number, answer in enumerate(answers):
            lock = tmp_path / f"requirements-{number}.lock"
            is_text = isinstance(answer, str)
            lock.write_text(answer if is_text else json.dumps({"dependencies": answer}))
            locks.append(lock)
        program = tmp_path / "program.py"
        program.write_text(
            "import sys\n"
            "assert {'--require-hashes', '--disable-pip'} <= set(sys.argv)\n"
            "said = open(sys.argv[sys.argv.index('--requirement') + 1]).read()\n"
            "if said.startswith('{'):\n    print(said)\n"
            "else:\n    sys.stderr.write('first line\\n' + said)\n"
            "sys.exit(1)\n"
        )
        return audit([sys.executable, str(program)], locks), capsys.readouterr().out

    return run


def test_nothing_known_of_any_package_is_clean(look_up):
    code, said = look_up([FINE], [FINE, FINE])
    assert code == CLEAN
    assert "requirements-1.lock: nothing is known of its 2 packages" in said


def test_what_is_known_is_named_with_the_version_that_mends_it(look_up):
    code, said = look_up([FINE, BAD, UNMENDED], [FINE])
    assert code == KNOWN
    assert "bad 2: PYSEC-1 CVE-1; mended in 3" in said
    assert "worse 4: PYSEC-2; mended in no version yet" in said


def test_a_package_that_could_not_be_looked_up_is_no_clean_one(look_up):
    code, said = look_up([FINE, SKIPPED])
    assert code == NOT_HAD
    assert "could not be had for 1 of 2 packages" in said
    assert "private: Dependency not found on PyPI" in said
    assert "nothing is known" not in said


@pytest.mark.parametrize("answer", ["service unavailable", "", '{"other": 1}', [], "{"])
def test_no_answer_is_said_plainly(look_up, answer):
    code, said = look_up(answer, [FINE])
    assert code == NOT_HAD
    assert "requirements-0.lock: the data could not be had" in said
    assert ("service unavailable" in said) == (answer == "service unavailable")


def test_a_vulnerability_counts_whatever_else_could_not_be_had(look_up):
    assert look_up("service unavailable", [BAD], [SKIPPED])[0] == KNOWN


def test_a_program_that_is_not_there_gives_no_answer(tmp_path, capsys):
    lock = tmp_path / "requirements.lock"
    assert audit([str(tmp_path / "nothing")], [lock]) == NOT_HAD
    assert "could not be had" in capsys.readouterr().out
