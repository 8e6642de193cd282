"""A real OpenBao server on loopback with raft storage, its engines, roles and policies."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import requests

from tests.support.free_ports import free_block

PROGRAM = Path(sys.executable).with_name("bao")
POLICY = """
path "secret/data/aether/*" { capabilities = ["create", "read", "update"] }
path "secret/metadata/aether/*" { capabilities = ["create", "read", "update", "list", "delete"] }
path "secret/metadata/aether" { capabilities = ["list"] }
path "transit/encrypt/aether" { capabilities = ["update"] }
path "transit/decrypt/aether" { capabilities = ["update"] }
"""


@dataclass
class OpenBao:
    """A server of a test's own.

    Attributes:
        directory: of its storage, its settings and the two halves of the AppRole.
    """

    directory: Path
    port: int = field(default_factory=free_block)
    unseal_key: str = ""
    process: subprocess.Popen[bytes] | None = None
    root: Any = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def role_id_file(self) -> Path:
        return self.directory / "role-id"

    @property
    def secret_id_file(self) -> Path:
        return self.directory / "secret-id"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        (self.directory / "raft").mkdir(exist_ok=True)
        settings = {
            "storage": {"raft": {"path": str(self.directory / "raft"), "node_id": "one"}},
            "listener": {"tcp": {"address": f"127.0.0.1:{self.port}", "tls_disable": True}},
            "api_addr": self.address,
            "cluster_addr": f"http://127.0.0.1:{self.port + 1}",
            "disable_mlock": True,
        }
        file = self.directory / "server.json"
        file.write_text(json.dumps(settings))
        with (self.directory / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "server", f"-config={file}"],
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "HOME": str(self.directory)},
            )
        self.wait_for(lambda: requests.get(f"{self.address}/v1/sys/seal-status", timeout=5).ok)

    def set_up(self) -> None:
        """Initialise and unseal it; make engines, a policy and an AppRole."""
        client = hvac.Client(self.address)
        made = client.sys.initialize(secret_shares=1, secret_threshold=1)
        self.unseal_key = made["keys"][0]
        self.root = client
        client.token = made["root_token"]
        self.unseal()
        client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        client.sys.enable_secrets_engine("transit")
        client.secrets.transit.create_key("aether")
        client.sys.create_or_update_policy("aether", POLICY)
        client.sys.enable_auth_method("approle")
        self.role()
        self.wait_for(lambda: client.secrets.kv.v2.read_configuration() is not None)

    def role(self, **figures: Any) -> None:
        """Make the AppRole with a secret of its own, written into its files."""
        roles = self.root.auth.approle
        figures = {"token_ttl": "1h", "token_max_ttl": "4h", "secret_id_num_uses": 0, **figures}
        roles.create_or_update_approle("aether", token_policies=["aether"], **figures)
        self.role_id_file.write_text(roles.read_role_id("aether")["data"]["role_id"])
        self.secret_id_file.write_text(roles.generate_secret_id("aether")["data"]["secret_id"])
        self.secret_id_file.chmod(0o600)

    def unseal(self) -> None:
        """Unseal it, and wait until it leads."""
        self.root.sys.submit_unseal_key(self.unseal_key)
        self.wait_for(lambda: requests.get(f"{self.address}/v1/sys/health", timeout=5).ok)

    def stop(self) -> None:
        """Stop the server; what it stored stays."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def wait_for(self, condition: Any) -> None:
        """Wait for what holds sooner or later."""
        until = time.monotonic() + 60
        while True:
            try:
                if condition():
                    return
            except (requests.RequestException, hvac.exceptions.VaultError):
                pass
            if time.monotonic() > until or (self.process and self.process.poll() is not None):
                raise AssertionError((self.directory / "server.log").read_text()[-2000:])
            time.sleep(0.05)
