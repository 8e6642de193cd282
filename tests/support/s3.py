"""A real server that speaks S3 and checks signatures: SeaweedFS."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.free_ports import free_block
from tests.support.prometheus import provided

BUCKET = "backups"
START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket with a key that may write it."""

    address: str
    endpoint: str
    credentials: Path


@contextmanager
def s3_server(place: Path) -> Iterator[Bucket]:
    """Run a server with an empty bucket for as long as the block lasts."""
    key, secret = secrets.token_hex(8), secrets.token_urlsafe(24)
    identity = {
        "name": "aether",
        "credentials": [{"accessKey": key, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    place.mkdir(parents=True, exist_ok=True)
    (place / "s3.json").write_text(json.dumps({"identities": [identity]}))
    credentials = place / "credentials"
    credentials.write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    )
    base = free_block()
    (place / "data").mkdir()
    command = [
        provided("weed"), "server", f"-dir={place / 'data'}", "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1", f"-master.port={base}", f"-master.port.grpc={base + 1}",
        f"-volume.port={base + 2}", f"-volume.port.grpc={base + 3}", f"-filer.port={base + 4}",
        f"-filer.port.grpc={base + 5}", "-s3", f"-s3.port={base + 6}",
        f"-s3.port.grpc={base + 7}", f"-s3.config={place / 's3.json'}",
        "-master.volumeSizeLimitMB=64", "-volume.max=20",
    ]  # fmt: skip
    endpoint = f"http://127.0.0.1:{base + 6}"
    with (place / "weed.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=place)
    try:
        _wait_for(process, endpoint, place / "weed.log")
        _make_bucket(endpoint, key, secret)
        yield Bucket(f"s3://{BUCKET}/of/here", endpoint, credentials)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: "subprocess.Popen[bytes]", endpoint: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < until, "the server does not answer"
        try:
            httpx.get(endpoint, timeout=2, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.2)
        else:
            return


def _make_bucket(endpoint: str, key: str, secret: str) -> None:
    import boto3
    from botocore.exceptions import ClientError

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    )
    until = time.monotonic() + START_SECONDS
    while True:  # it answers before its own parts have found each other
        try:
            client.create_bucket(Bucket=BUCKET)
            client.put_object(Bucket=BUCKET, Key="probe", Body=b"x")
            client.delete_object(Bucket=BUCKET, Key="probe")
        except ClientError:
            assert time.monotonic() < until, "the bucket cannot be made"
            time.sleep(0.3)
        else:
            return
