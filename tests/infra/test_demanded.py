"""What is demanded and absent fails; nothing that is verified by foreign code is passed over."""

import pytest

from tests.activities.record import test_evidence_packs as packs
from tests.support.demanded import DEMANDED, absent


def test_what_is_absent_is_skipped_where_somebody_works_and_fails_where_it_is_demanded(monkeypatch):
    monkeypatch.delenv(DEMANDED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="no such tool"):
        absent("no such tool")
    monkeypatch.setenv(DEMANDED, "1")
    with pytest.raises(pytest.fail.Exception, match="no such tool"):
        absent("no such tool")


def test_packs_without_go_fail_where_it_is_demanded(monkeypatch, tmp_path_factory):
    monkeypatch.setenv(DEMANDED, "1")
    monkeypatch.setattr(packs.shutil, "which", lambda _: None)
    with pytest.raises(pytest.fail.Exception, match="Go is not installed"):
        packs.verifier.__wrapped__(tmp_path_factory)
