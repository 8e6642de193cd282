"""A full disk is really full, and what cannot be filled says so."""

import pytest

from tests.faults.log_disk import LogDisk, log_disk


def test_full_log_disk_takes_no_byte_until_it_is_freed(tmp_path):
    with log_disk(tmp_path) as disk:
        if disk.lacking:
            assert not disk.fill()
            return
        assert disk.fill()
        log = tmp_path / "logs" / "any.log"
        with pytest.raises(OSError, match="No space left"):
            log.write_text("one line")
        disk.free()
        log.write_text("one line")
    assert log.read_text() == "one line"


def test_disk_that_is_not_ours_is_not_filled(tmp_path):
    disk = LogDisk(tmp_path, "mount: permission denied")
    assert not disk.fill()
    disk.free()
    assert list(tmp_path.iterdir()) == []
