"""Settings of one installation, from the environment (prefix ``AETHER_``), MARKET and SPEED."""

import re
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from infra.runtime.data_settings import CRON, LOOPBACK, DataSettings
from infra.runtime.http.port_settings import PortSettings
from models.trading.bounds import bounded_text

LONGEST_VALUE = 8_000
"""Characters of one setting: many files of a replay."""


class Settings(DataSettings, PortSettings):
    """Where things are and how the platform runs. Built by each process at start, never at import.

    What data is brought from outside is said by ``DataSettings``, who listens where by
    ``PortSettings``.

    Attributes:
        home: directory of all state (``AETHER_HOME``).
        market: ``generated``, ``replay:PATH[,PATH…]`` or ``kraken`` (``MARKET``).
        speed: market time per wall time, a number above zero or ``lockstep`` (``SPEED``). Left out:
            10 on the generated market, 60 in a replay, 1 on Kraken's.
        bar_minutes: interval of the strategy's bars; a replay uses its file's interval. Left out:
            15 on Kraken's market, where a minute's bar of most pairs holds too few trades for
            volatility, correlation and costs to mean anything; 1 on the generated one.
        exchange_tier: verification level of the accounts at the exchange, which sets Kraken's rate
            limits: ``starter``, ``intermediate`` or ``pro``, as the embedded simulator has them.
        accounts: how many simulated accounts a first start sets up: the company and its directors.
            Later starts go on with those that are there.
        seed: seed of the generated market and of synthetic liquidity.
        replay_path: which extreme of a replayed bar is taken to have come first: the low
            (``worst_first``), the high (``best_first``), or ``by_direction`` the low in an up bar
            and the high in a down bar (``AETHER_REPLAY_PATH``).
        witness_directory: memory of the record's witness, better on another disk or machine
            (``AETHER_WITNESS_DIRECTORY``); without, it is in the state directory.
        witness_url, witness_key: a second witness on another machine (``aether witness serve``),
            and its verifier key, by which its signatures are checked. A checkpoint then counts as
            cosigned when both have signed it.
        evidence_target, evidence_hours: directory or ``s3://BUCKET/PREFIX`` that evidence packs of
            the record are written to, each with the rows since the one before, and how often.
        learning: whether the processes that train and keep models are started
            (about 800 MB); what is trained trades only by the gate and a second person's approval.
        learning_data: directory of the candles that are learnt from (``AETHER_LEARNING_DATA``), as
            ``VENUE/BASE-USD_1d_*.parquet``; days that are absent are made of finer bars.
        registry_address: where the registry of models is, when it is not the embedded one.
        smtp_host, smtp_port, smtp_sender, smtp_user, smtp_tls, smtp_authorities: the mail server
            that notifications are handed to, and a file of certificates that it is checked by. Its
            password is a secret (``aether notify secret smtp-password``).
        sms_url, sms_account, sms_sender: the provider of text messages; its token is the secret
            ``sms-token``.
        chat_url: root of the chat bots' API; the bot's token is the secret ``chat-token``.
        notify_private_hosts: ``host:port``, divided by commas, of webhooks and providers in the
            operator's own network; all others must be public and use TLS.
        notify_conditions: whether the platform watches its own figures; to be turned off where
            Alertmanager posts the same.
        control_room_url: address that links in messages begin with; left out: this machine's own.
        database_url: where PostgreSQL is, when it is not the embedded one.
        host_names: names besides 127.0.0.1 and localhost by which callers reach the ports, divided
            by commas, each with its port where a proxy sends one (``AETHER_HOST_NAMES``).
        request_days: how long answered requests are remembered, so that a repeat under the same key
            gets the same answer (``AETHER_REQUEST_DAYS``).
        caller_requests, stranger_requests: requests a second that one person or token, and one
            address that shows neither, may send for long; ten times as many at once.
        temporal_address: where Temporal is, when it is not the embedded one.
        temporal_namespace: the namespace of the workflows.
        disk_free_minimum_mb: megabytes (10^6 bytes) free on the file systems of state, PostgreSQL
            and Temporal below which nothing is called ready.
        disk_free_warning_mb: the same below which a degraded mode is named, logs included.
        temporal_credentials: directory with ``authority.pem``, ``client.pem`` and ``client.key``
            for a Temporal that is not the embedded one.
        secrets: where secrets lie: in an encrypted ``local`` file, in ``vault`` (HashiCorp Vault or
            OpenBao), or in mounted ``kubernetes`` Secrets (``AETHER_SECRETS``).
        secrets_key_file: key of the local store, ``HOME/secrets/key`` unless given.
        secrets_passphrase_file: its first line is a passphrase that takes the place of the key.
        secrets_directory: where Kubernetes mounts the Secret.
        vault_address: ``https://…`` of Vault; plain HTTP on this machine only.
        vault_mount, vault_path: the mount of its KV engine, version 2, and where in it secrets lie.
        vault_auth, vault_role: ``approle`` or ``kubernetes``, and the role of such a login.
        vault_role_id_file, vault_secret_id_file: the two halves of an AppRole.
        vault_service_account_file: what a Kubernetes login shows, unless at its usual place.
        vault_authority_file: the certificate authority of Vault, unless the system knows it.
        vault_transit_key: key of the transit engine that encrypts each secret as well.
        vault_namespace: the namespace of the server, where it has such.
        backup_directory: where backups go; without, beside the state: ``HOME-backups``.
        backup_keys: directory of the two keys of backups; without, ``HOME-backup-keys``. Copies of
            both belong on another machine.
        backup_database_url: the PostgreSQL of ``database_url`` as a role that may replicate and
            read every row, for backups.
        backup_keep: how many backups are kept; the newest verified one always is.
        backup_s3: a bucket that speaks S3 where backups go instead, ``s3://BUCKET/PREFIX``
            (``AETHER_BACKUP_S3``). What is being made or verified is in ``backup_directory``.
        backup_s3_endpoint: address of a server that is not Amazon's; another machine is https only.
        backup_s3_credentials: a file as of the AWS tools with key and secret of the bucket.
        backup_schedule: when a backup is made and verified (``AETHER_BACKUP_SCHEDULE``), five
            fields as of cron, in UTC; without, nothing is made unless somebody asks.
        events_url: a NATS server with JetStream that is told what happens (``AETHER_EVENTS_URL``),
            ``tls://HOST:PORT``, or ``nats://`` on this machine. Without, nobody is.
        events_credentials: directory with what it asks for: ``authority.pem``; ``client.pem`` and
            ``client.key``; ``user`` with a line ``NAME:PASSWORD``, or ``token``. Each is optional.
        events_stream: the stream's name; it is made where it is missing.
        events_room: how many events of each account wait at most while the server takes none.
        log_level: the least that processes log: ``DEBUG``, ``INFO``, ``WARNING`` or ``ERROR``.
        traces_url: a collector that takes OpenTelemetry's traces by OTLP over HTTP
            (``AETHER_TRACES_URL``); without, nothing is traced.
    """

    model_config = SettingsConfigDict(
        env_prefix="AETHER_", env_ignore_empty=True, extra="ignore", frozen=False
    )

    home: Path = Path(".aether")
    market: str = Field(default="generated", validation_alias="MARKET")
    speed: str = Field(default="", validation_alias="SPEED")
    bar_minutes: int | None = Field(default=None, ge=1, le=1440)
    accounts: int = Field(default=3, ge=1, le=500)
    seed: int = Field(default=20260101, ge=0, lt=2**63)
    replay_path: Literal["worst_first", "best_first", "by_direction"] = "worst_first"
    learning: bool = False
    learning_data: Path = Path("../shared/data")
    registry_address: str | None = None
    exchange_tier: Literal["starter", "intermediate", "pro"] = "pro"
    witness_directory: Path | None = None
    witness_url: str = ""
    witness_key: str = ""
    evidence_target: str = ""
    evidence_hours: int = Field(default=24, ge=1, le=24 * 31)
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65_535)
    smtp_sender: str = ""
    smtp_user: str = ""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_authorities: Path | None = None
    sms_url: str = ""
    sms_account: str = ""
    sms_sender: str = ""
    chat_url: str = "https://api.telegram.org"
    notify_private_hosts: str = ""
    notify_conditions: bool = True
    control_room_url: str = Field(default="", pattern=r"^(https?://[^\s/]+/?)?$")
    database_url: str | None = None
    temporal_address: str | None = None
    temporal_credentials: Path | None = None
    backup_directory: Path | None = None
    backup_keys: Path | None = None
    backup_database_url: str | None = None
    backup_keep: int = Field(default=14, ge=1, le=10_000)
    secrets: Literal["local", "vault", "kubernetes"] = "local"
    secrets_key_file: Path | None = None
    secrets_passphrase_file: Path | None = None
    secrets_directory: Path | None = None
    vault_address: str = ""
    vault_mount: str = "secret"
    vault_path: str = "aether"
    vault_auth: Literal["approle", "kubernetes"] = "approle"
    vault_role: str = "aether"
    vault_role_id_file: Path | None = None
    vault_secret_id_file: Path | None = None
    vault_service_account_file: Path | None = None
    vault_authority_file: Path | None = None
    vault_transit_key: str = ""
    vault_namespace: str = ""
    backup_s3: str | None = Field(default=None, pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,62}(/.*)?$")
    backup_s3_endpoint: str | None = None
    backup_s3_credentials: Path | None = None
    backup_schedule: str | None = None
    events_url: str | None = None
    events_credentials: Path | None = None
    events_stream: str = Field(default="AETHER", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    events_room: int = Field(default=100_000, ge=1, le=100_000_000)
    traces_url: str | None = None
    temporal_namespace: str = "aether"
    host_names: str = ""
    request_days: int = Field(default=45, ge=30, le=3650)
    caller_requests: int = Field(default=200, ge=1, le=1_000_000)
    stranger_requests: int = Field(default=50, ge=1, le=1_000_000)
    log_level: str = "INFO"
    disk_free_minimum_mb: int = Field(default=32, ge=0, le=1_000_000)
    disk_free_warning_mb: int = Field(default=512, ge=0, le=1_000_000)

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        return bounded_text(value, LONGEST_VALUE) if isinstance(value, str) else value

    @field_validator("home", "learning_data")
    @classmethod
    def _absolute(cls, place: Path) -> Path:
        return place.expanduser().resolve()

    @field_validator("market")
    @classmethod
    def _market_is_known(cls, market: str) -> str:
        kind, _, files = market.partition(":")
        if market in ("generated", "kraken") or (kind == "replay" and files):
            return market
        raise ValueError("MARKET is generated, replay:PATH[,PATH…] or kraken")

    @field_validator("backup_s3_endpoint", "traces_url")
    @classmethod
    def _way_is_private(cls, url: str | None, about: ValidationInfo) -> str | None:
        address, name = urlsplit(url or ""), f"AETHER_{about.field_name}".upper()
        if url is not None and (address.scheme not in ("http", "https") or not address.hostname):
            raise ValueError(f"{name} is https://HOST[:PORT]")
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            raise ValueError(f"{name}: another machine is reached by https only")
        return url

    @field_validator("backup_schedule")
    @classmethod
    def _schedule_has_five_fields(cls, schedule: str | None) -> str | None:
        if schedule is not None and not re.fullmatch(CRON, schedule):
            raise ValueError('AETHER_BACKUP_SCHEDULE has five fields as of cron, "17 2 * * *"')
        return schedule

    @field_validator("events_url")
    @classmethod
    def _events_are_private(cls, url: str | None) -> str | None:
        if url is None:
            return None
        address = urlsplit(url)
        if address.scheme not in ("nats", "tls") or not address.hostname:
            raise ValueError("AETHER_EVENTS_URL is tls://HOST:PORT or nats://127.0.0.1:PORT")
        if address.username or address.password:
            raise ValueError("AETHER_EVENTS_URL has no password: AETHER_EVENTS_CREDENTIALS has")
        if address.scheme == "nats" and address.hostname not in LOOPBACK:
            raise ValueError("AETHER_EVENTS_URL: another machine is reached by tls:// only")
        return url

    @field_validator("speed")
    @classmethod
    def _speed_is_known(cls, speed: str) -> str:
        if speed in ("", "lockstep"):
            return speed
        try:
            value = float(speed)
        except ValueError:
            raise ValueError("SPEED is a number above zero, or lockstep") from None
        if not 0 < value <= 1_000_000:
            raise ValueError("SPEED is a number above zero (at most 1000000), or lockstep")
        return speed

    @property
    def backups(self) -> Path:
        """Return the directory of the backups."""
        given = self.backup_directory or self.home.with_name(f"{self.home.name}-backups")
        return given.expanduser().resolve()

    @property
    def backup_key_directory(self) -> Path:
        """Return the directory of the keys of backups."""
        given = self.backup_keys or self.home.with_name(f"{self.home.name}-backup-keys")
        return given.expanduser().resolve()

    @property
    def first_accounts(self) -> dict[str, str]:
        """Return the accounts of a first start, kind by name."""
        directors = {f"director-{number}": "director" for number in range(1, self.accounts)}
        return {"company": "company", **directors}

    @property
    def market_speed(self) -> str:
        """Return the speed in force: as set, else one that shows something and is no strain.

        Rate limits count in wall time, so a faster market leaves less room for each of its bars.
        """
        usual = {"kraken": "1", "generated": "10"}
        return self.speed or usual.get(self.market, "60")

    @property
    def market_is_wall_clock(self) -> bool:
        """Tell whether market time is the wall clock: on Kraken's own market at its own pace."""
        return self.market == "kraken" and self.market_speed == "1"

    @property
    def market_is_lockstep(self) -> bool:
        """Tell whether the market moves only when the platform has dealt with its last step."""
        return self.market_speed == "lockstep"

    @property
    def market_bar_minutes(self) -> int:
        """Return the interval of the strategies' bars: a replay's own, else as set."""
        name = self.market.rpartition("/")[2]
        if not self.market.startswith("replay:"):
            return self.usual_bar_minutes
        if archive := re.search(r"_(\d+)\.csv$", name):
            return int(archive[1])
        if found := re.search(r"_(\d+)([mhd])_", name):
            return int(found[1]) * {"m": 1, "h": 60, "d": 1440}[found[2]]
        return self.usual_bar_minutes

    @property
    def usual_bar_minutes(self) -> int:
        """Return the interval of bars as set, or what suits the market."""
        return self.bar_minutes or {"kraken": 15}.get(self.market, 1)

    @property
    def witness(self) -> Path:
        """Return the directory of the witness's memory."""
        return self.witness_directory or self.home / "witness"

    @property
    def runs_registry(self) -> bool:
        """Tell whether the embedded stack runs a registry of models."""
        return self.learning and self.registry_address is None

    @property
    def registry_url(self) -> str:
        """Return the base address of the registry of models."""
        return self.registry_address or f"http://127.0.0.1:{self.registry_port}"

    @property
    def api_url(self) -> str:
        """Return the base address of the API."""
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def temporal_ui_url(self) -> str:
        """Return the address of Temporal's web UI."""
        return f"http://127.0.0.1:{self.temporal_ui_port}"

    @property
    def codec_endpoint(self) -> str:
        """Return where Temporal's web UI asks for payloads to be decrypted."""
        return f"{self.api_url}/api/v1/codec"

    @cached_property
    def temporal_target(self) -> str:
        """Return host and port of Temporal."""
        return self.temporal_address or f"127.0.0.1:{self.temporal_port}"

    @property
    def exchange_url(self) -> str:
        """Return the base address of the exchange's REST API."""
        return f"http://127.0.0.1:{self.exchange_port}"

    @property
    def exchange_public_ws(self) -> str:
        """Return the address of the exchange's public WebSocket."""
        return f"ws://127.0.0.1:{self.exchange_port}/v2"

    @property
    def exchange_private_ws(self) -> str:
        """Return the address of the exchange's authenticated WebSocket."""
        return f"ws://127.0.0.1:{self.exchange_port}/private/v2"

    @property
    def coingecko_url(self) -> str:
        """Return the root of the CoinGecko API that the platform uses."""
        return f"http://127.0.0.1:{self.exchange_port}/coingecko/api/v3/"
