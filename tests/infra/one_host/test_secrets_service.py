"""The service of secrets starts with the very file that compose mounts, on its loopback port."""

import json
import os
import subprocess
from pathlib import Path

import hvac
import pytest
import yaml

from infra.runtime.secrets import installation_secrets
from infra.runtime.settings import Settings
from tests.support.free_ports import free_block
from tests.support.openbao import PROGRAM, OpenBao

ROOT = Path(__file__).parents[3]
SERVICE = yaml.safe_load((ROOT / "temporal-compose.yml").read_text())["services"]["secrets"]
FILE = ROOT / "infra" / "compose" / "openbao.json"
PORT = 8200


def test_the_service_is_off_by_default_and_mounts_what_it_reads():
    assert SERVICE["profiles"] == ["secrets"]
    mounts = dict(one.split(":")[:2] for one in SERVICE["volumes"])
    place = mounts["./infra/compose/openbao.json"]
    assert SERVICE["command"] == f"server -config={place}"
    told = json.loads(FILE.read_text())
    assert told["storage"]["raft"]["path"] == mounts["secrets"]
    for address in (*told["listener"]["tcp"].values(), told["api_addr"], told["cluster_addr"]):
        assert address is True or "127.0.0.1:" in address
    assert told["listener"]["tcp"]["address"] == f"127.0.0.1:{PORT}"


@pytest.fixture
def server(tmp_path):
    """OpenBao with that file, at another place and on other ports."""
    port, storage = free_block(), tmp_path / "raft"
    storage.mkdir()
    text = FILE.read_text().replace("/openbao/file", str(storage))
    text = text.replace(f":{PORT + 1}", f":{port + 1}").replace(f":{PORT}", f":{port}")
    file = tmp_path / "openbao.json"
    file.write_text(text)
    found = OpenBao(tmp_path, port)
    with (tmp_path / "server.log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [PROGRAM, "server", f"-config={file}"]
        found.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        client = hvac.Client(found.address)
        found.wait_for(lambda: client.sys.read_seal_status()["initialized"] is False)
        yield found
    finally:
        found.process.terminate()
        found.process.wait(30)


def test_the_platform_keeps_its_secrets_there(server, tmp_path):
    server.set_up()
    settings = Settings(
        home=tmp_path / "home",
        secrets="vault",
        vault_address=server.address,
        vault_role_id_file=server.role_id_file,
        vault_secret_id_file=server.secret_id_file,
    )
    made = installation_secrets(settings).create()
    made.store.check()
    assert installation_secrets(settings).codec_keys() == made.codec_keys() != {}
    kept = server.root.secrets.kv.v2.list_secrets("aether", mount_point="secret")
    assert kept["data"]["keys"]
