"""Every store of secrets keeps what the port promises, each over the real thing."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import uuid4

import pytest

from infra.runtime.secrets import InstallationSecrets
from infra.runtime.secrets.installation import first_documents
from infra.runtime.secrets.local import LocalStore
from infra.runtime.secrets.mounted import MountedSecrets, file_name
from infra.runtime.secrets.store import (
    NEW,
    SecretsConflictError,
    SecretsMissingError,
    SecretsReadOnlyError,
)
from infra.runtime.secrets.vault import VaultPlace, VaultStore

SECRET = "never-to-be-seen-elsewhere"


class Kubelet:
    """Mounts documents as the kubelet does: new directory, then one symbolic link moved."""

    def __init__(self, directory):
        self.directory, self.documents, self._numbers = directory, {}, count()
        directory.mkdir()
        self.publish()

    def publish(self):
        fresh = self.directory / f"..{next(self._numbers)}"
        fresh.mkdir()
        for name, content in self.documents.items():
            (fresh / file_name(name)).write_text(json.dumps(content))
            link = self.directory / file_name(name)
            if not link.is_symlink():
                link.symlink_to(f"..data/{file_name(name)}")
        moved = self.directory / "..data_tmp"
        moved.symlink_to(fresh.name)
        moved.replace(self.directory / "..data")

    def put(self, name, content):
        self.documents[name] = content
        self.publish()

    def remove(self, name):
        self.documents.pop(name, None)
        self.publish()


class Writing:
    """Puts documents by the store itself."""

    def __init__(self, store):
        self._store = store

    def put(self, name, content):
        found = self._store.read(name)
        self._store.write(name, content, NEW if found is None else found.version)

    def remove(self, name):
        self._store.remove(name)


STORES = ["local", "passphrase", "vault", "vault+transit", "kubernetes"]


@pytest.fixture(params=STORES)
def store_and_owner(request, tmp_path):
    """Return a store, a second view of it as another process has it, and whoever writes it."""
    if request.param == "kubernetes":
        kubelet = Kubelet(tmp_path / "mounted")
        return MountedSecrets(tmp_path / "mounted"), MountedSecrets(tmp_path / "mounted"), kubelet
    if request.param.startswith("vault"):
        server = request.getfixturevalue("openbao")
        place = VaultPlace(
            server.address,
            path=f"aether/{uuid4().hex}",
            role_id_file=server.role_id_file,
            secret_id_file=server.secret_id_file,
            transit_key="aether" if request.param.endswith("transit") else "",
        )
        first, second = VaultStore(place), VaultStore(place)
    else:
        words = None
        if request.param == "passphrase":
            words = tmp_path / "passphrase"
            words.write_text("correct horse battery staple\n")
            words.chmod(0o600)
        first, second = (LocalStore(tmp_path / "s", passphrase_file=words) for _ in range(2))
        first.create()
    return first, second, Writing(first)


def test_what_was_put_is_read_by_every_process_until_removed(store_and_owner):
    store, other, owner = store_and_owner
    assert store.read("exchange/company/live") is None
    assert store.names() == []
    owner.put("exchange/company/live", {"key": "k", "secret": SECRET})
    owner.put("payload-keys", {"order": "a", "a": "b"})
    for view in (store, other):
        found = view.read("exchange/company/live")
        assert dict(found.content) == {"key": "k", "secret": SECRET}
        assert SECRET not in repr(found)
        assert view.names() == ["exchange/company/live", "payload-keys"]
        view.check()
    owner.put("exchange/company/live", {"key": "k2", "secret": SECRET})
    changed = other.read("exchange/company/live")
    assert changed.content["key"] == "k2"
    assert changed.version != found.version
    owner.remove("exchange/company/live")
    owner.remove("exchange/company/live")
    assert other.read("exchange/company/live") is None
    assert other.names() == ["payload-keys"]


def test_a_stale_writer_is_refused_and_changes_nothing(store_and_owner):
    store, other, owner = store_and_owner
    if not store.is_writable:
        with pytest.raises(SecretsReadOnlyError, match="the Secret"):
            store.write("a", {"x": "1"}, NEW)
        with pytest.raises(SecretsReadOnlyError):
            store.remove("a")
        return
    first = store.write("a", {"x": "1"}, NEW)
    with pytest.raises(SecretsConflictError):
        other.write("a", {"x": "2"}, NEW)
    second = other.write("a", {"x": "3"}, first)
    with pytest.raises(SecretsConflictError):
        store.write("a", {"x": "4"}, first)
    assert store.read("a").content == {"x": "3"}
    assert store.read("a").version == second
    owner.remove("a")
    assert store.write("a", {"x": "5"}, NEW)


def test_of_writers_at_once_each_change_is_kept(store_and_owner):
    store, other, owner = store_and_owner
    if not store.is_writable:
        pytest.skip("its owner alone writes it")
    owner.put("n", {"sum": "0"})
    begin = threading.Barrier(2)

    def add(view):
        begin.wait()
        done = 0
        while done < 5:
            found = view.read("n")
            try:
                view.write("n", {"sum": str(int(found.content["sum"]) + 1)}, found.version)
            except SecretsConflictError:
                continue
            done += 1

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, (store, other)))
    assert store.read("n").content == {"sum": "10"}


def test_an_installation_begins_once_and_rotates_its_payload_keys(store_and_owner):
    store, other, owner = store_and_owner
    if store.is_writable:
        InstallationSecrets(store).create()
    else:
        with pytest.raises(SecretsMissingError, match="payload-keys"):
            InstallationSecrets(store).create()
        for name, content in first_documents().items():
            owner.put(name, content)
        InstallationSecrets(store).create()
    secrets, seen = InstallationSecrets(store), InstallationSecrets(other).create()
    assert secrets.codec_keys() == seen.codec_keys()
    assert secrets.administrator_token() == seen.administrator_token()
    (old,) = secrets.codec_keys().items()
    if not store.is_writable:
        return
    new = secrets.rotate_payload_key()
    assert list(seen.codec_keys()) == [new, old[0]]
    assert seen.codec_keys()[old[0]] == old[1]
    with pytest.raises(ValueError, match="no older payload key"):
        secrets.forget_payload_key(new)
    secrets.forget_payload_key(old[0])
    assert list(seen.codec_keys()) == [new]
    key = secrets.signing_key("record", lambda: bytes(32))
    assert seen.signing_key("record", lambda: bytes(31) + b"x") == key == bytes(32)
