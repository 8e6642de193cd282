"""A real exchange simulator on a free port and small clients for it: REST, WebSocket, control."""

import asyncio
import base64
import json
import subprocess
import sys
import time
import urllib.parse
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import aiohttp

from workers.exchange.accounts import AccountKey, generate_accounts
from workers.exchange.authentication import sign
from workers.exchange.server import Options, Server

REPOSITORY = Path(__file__).resolve().parents[2]


class Socket:
    """A WebSocket client that keeps what it has read and waits for what it has not."""

    def __init__(self, socket):
        self.socket = socket
        self.frames = []

    async def send(self, method, req_id=None, **params):
        message = {"method": method}
        if params:
            message["params"] = params
        if req_id is not None:
            message["req_id"] = req_id
        await self.socket.send_str(json.dumps(message))

    async def receive(self):
        message = await self.socket.receive(timeout=10)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(message.type)
        frame = json.loads(message.data, parse_float=Decimal)
        self.frames.append(frame)
        return frame

    async def until(self, wanted):
        """Return the first frame from here on that fits."""
        async with asyncio.timeout(10):
            while True:
                frame = await self.receive()
                if wanted(frame):
                    return frame

    async def answer(self, method, req_id=None):
        return await self.until(
            lambda frame: frame.get("method") == method and frame.get("req_id") == req_id
        )

    async def channel(self, name, kind="update"):
        return await self.until(
            lambda frame: frame.get("channel") == name and frame.get("type") == kind
        )

    async def entry(self, exec_type):
        """Return the next entry of the executions channel with this type."""
        frame = await self.until(
            lambda frame: (
                frame.get("channel") == "executions"
                and any(entry["exec_type"] == exec_type for entry in frame["data"])
            )
        )
        return next(entry for entry in frame["data"] if entry["exec_type"] == exec_type)

    async def ended(self):
        """Wait until the server has cut or closed the socket."""
        async with asyncio.timeout(10):
            while True:
                try:
                    await self.receive()
                except ConnectionError:
                    return


class Client:
    """Everything a test does to one running exchange."""

    def __init__(self, address, keys, session):
        self.address = address
        self.keys = keys
        self.session = session

    async def public(self, method, **params):
        async with self.session.get(f"{self.address}/0/public/{method}", params=params) as answer:
            return json.loads(await answer.read(), parse_float=Decimal)

    async def private(self, method, account="company", *, as_json=False, nonce=None, **params):
        """Return the envelope; ``__`` cannot appear in keywords, so pass odd names by ``**``."""
        key, secret = self.keys[account]
        nonce = str(nonce if nonce is not None else time.time_ns())
        fields = {"nonce": nonce, **params}
        body = json.dumps(fields) if as_json else urllib.parse.urlencode(fields)
        path = f"/0/private/{method}"
        headers = {
            "API-Key": key,
            "API-Sign": sign(base64.b64decode(secret), path, nonce, body.encode()),
            "Content-Type": (
                "application/json" if as_json else "application/x-www-form-urlencoded"
            ),
        }
        async with self.session.post(self.address + path, data=body, headers=headers) as answer:
            if answer.status != 200:
                return {"status": answer.status}
            return json.loads(await answer.read(), parse_float=Decimal)

    async def result(self, method, account="company", **params):
        envelope = await self.private(method, account, **params)
        assert envelope.get("error") == [], (method, params, envelope)
        return envelope["result"]

    async def error(self, method, account="company", **params):
        return (await self.private(method, account, **params))["error"]

    async def buy(self, volume="0.01", pair="XBTUSD", **params):
        result = await self.result(
            "AddOrder", pair=pair, type="buy", volume=volume, **{"ordertype": "market", **params}
        )
        return result["txid"][0]

    async def rest_order(self, price="20000.0", volume="0.01", **params):
        """Place a purchase far below the market and return its txid."""
        return await self.buy(volume, ordertype="limit", price=price, **params)

    async def control(self, path, body=None, method=None):
        verb = method or ("GET" if body is None else "POST")
        url = f"{self.address}/control/{path}"
        async with self.session.request(verb, url, json=body) as answer:
            return answer.status, json.loads(await answer.read(), parse_float=Decimal)

    async def fault(self, kind, match=None, **rule):
        status, body = await self.control("faults", {"kind": kind, "match": match or {}, **rule})
        assert status == 200, body
        return body["rules"][0]

    async def record(self, account="company"):
        return (await self.control(f"record?account={account}"))[1]

    async def steps(self, count):
        status, body = await self.control("step", {"steps": count})
        assert status == 200, body
        return body

    async def price(self, price, symbol="BTC/USD"):
        status, body = await self.control("prices", {"symbol": symbol, "price": price})
        assert status == 200, body

    @asynccontextmanager
    async def socket(self, path="private/v2"):
        url = f"{self.address.replace('http', 'ws')}/{path}"
        async with self.session.ws_connect(url) as socket:
            client = Socket(socket)
            first = await client.receive()
            assert first["channel"] == "status"
            yield client

    async def token(self, account="company"):
        return (await self.result("GetWebSocketsToken", account))["token"]

    @asynccontextmanager
    async def executions(self, account="company", **params):
        """Yield a socket with a live executions subscription; the snapshot is its last frame."""
        async with self.socket() as socket:
            token = await self.token(account)
            await socket.send("subscribe", 1, channel="executions", token=token, **params)
            ack = await socket.answer("subscribe", 1)
            assert ack["success"], ack
            if ack["result"]["snapshot"]:
                await socket.channel("executions", "snapshot")
            yield socket


def keys_file(directory, **changes):
    """Write a keys file of fresh random keys and return its path; changes apply to every row."""
    path = Path(directory) / "keys.json"
    generate_accounts(path)
    if changes:
        rows = [{**row, **changes} for row in json.loads(path.read_text())]
        path.write_text(json.dumps(rows))
    return path


@asynccontextmanager
async def running(directory, *, accounts=None, **options):
    """Run an exchange inside this process and yield a client; lockstep unless told otherwise."""
    chosen = {"speed": "lockstep", "accounts": accounts or keys_file(directory), **options}
    server = Server(Options(**chosen))
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            if chosen["speed"] == "lockstep":
                server.exchange.warm_up(server.exchange.market.start_time().timestamp() + 60)
            client = Client(server.describe()["rest"], _keys(server.accounts), session)
            client.server = server
            yield client
    finally:
        await server.stop()


def _keys(accounts: list[AccountKey]):
    return {entry.account: (entry.key, entry.secret) for entry in accounts}


class Process:
    """An exchange in its own process, to be killed."""

    def __init__(self, state, *arguments):
        self.state = Path(state)
        self.arguments = arguments
        self.process = None
        self.described = {}

    def start(self):
        command = [sys.executable, "-m", "workers.exchange", "--state", str(self.state)]
        self.process = subprocess.Popen(
            [*command, *self.arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        self.described = json.loads(line)
        return self

    @asynccontextmanager
    async def client(self):
        keys = {row["account"]: (row["key"], row["secret"]) for row in self.described["keys"]}
        async with aiohttp.ClientSession() as session:
            yield Client(self.described["rest"], keys, session)

    def generation(self):
        """Return the number of the newest snapshot."""
        files = self.state.glob("snapshot-*.json")
        return max(int(file.stem.removeprefix("snapshot-")) for file in files)

    def kill(self):
        self._end(self.process.kill)

    def terminate(self):
        self._end(self.process.terminate)

    def _end(self, how):
        if self.process is not None and self.process.poll() is None:
            how()
        if self.process is not None:
            self.process.communicate()
