"""One host in containers or under systemd: every name in those files is one of the code."""

import configparser
import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import click
import jsonschema
import psycopg
import pytest
import typer
import yaml

from cli.compose_secrets import ROLES, variable, write_secrets
from cli.main import build_app
from infra.backup import clusters
from infra.pages.places import BUILT, NOT_SOURCES
from infra.runtime.database.connections import Role
from infra.runtime.errors import StateError
from infra.runtime.secrets import local_secrets
from infra.runtime.settings import Settings
from infra.stack import ports, postgres_binaries
from infra.stack.embedded import Stack
from infra.stack.programs.environment import INHERITED
from tests.support.postgres import running_postgres

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "temporal-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("aether:")}
UNITS = sorted((ROOT / "infra" / "systemd").glob("*"))
DOCKERFILE = (ROOT / "infra" / "docker" / "Dockerfile").read_text()

NOT_OF_CONTAINERS = {
    # Loopback ports of the host, which prometheus.yaml and the Caddyfile name too.
    "AETHER_PORT_BASE",
    # Of other servers than those that are in the file.
    *("AETHER_REGISTRY_ADDRESS", "AETHER_TEMPORAL_CREDENTIALS", "AETHER_TEMPORAL_NAMESPACE"),
    # Of Kubernetes only.
    *("AETHER_SECRETS_DIRECTORY", "AETHER_VAULT_AUTH", "AETHER_VAULT_ROLE"),
    "AETHER_VAULT_SERVICE_ACCOUNT_FILE",
    # The service "backup" follows the record.
    "AETHER_BACKUP_SCHEDULE",
}
COPIERS = {"password-file", "alertmanager-token"}
"""They copy a secret for the one user who reads it, ending at once."""
HELPERS = {
    # What starts, holds or prepares others.
    *("workers.delayed_start", "workers.preparation"),
    *("infra.stack.programs.fork_server", "infra.stack.programs.keeper"),
    # The service "backup" does it instead.
    "workers.backups.process",
}


def source(name):
    return (ROOT / "infra" / "stack" / name).read_text()


def known_variables():
    fields = Settings.model_fields
    found = {f"AETHER_{name.upper()}" for name, f in fields.items() if not f.validation_alias}
    return found | {"MARKET", "SPEED"} | INHERITED


def settings_problem(name, value):
    field = {"MARKET": "MARKET", "SPEED": "SPEED"}.get(name, name.removeprefix("AETHER_").lower())
    Settings(**{field: value})


def require_command(words):
    app = typer.main.get_command(build_app([]))
    command, context = app, click.Context(app)
    for word in words:
        if word.startswith("-"):
            assert word in {name for p in command.params for name in p.opts}
        else:
            command = command.get_command(context, word)
            assert command is not None, words


def require_program(text):
    for words in re.findall(r"\baether ((?:[a-z-]+ ?)+)", text):
        require_command(words.split())
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert find_spec(module) is not None


@pytest.fixture(scope="session")
def schema():
    script = ROOT / "infra" / "tools" / "provide.sh"
    found = subprocess.run([script, "compose"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(Path(found.stdout.strip()).read_text())


def test_the_compose_file_is_of_the_schema_of_compose_files(schema):
    jsonschema.validate(COMPOSE, schema)
    broken = COMPOSE | {"services": {"api": {"imagee": "x"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)


def test_what_services_wait_for_mount_and_read_is_there():
    volumes, secrets = set(COMPOSE["volumes"]), set(COMPOSE["secrets"])
    used = set()
    for one in SERVICES.values():
        assert set(one.get("depends_on", ())) <= set(SERVICES)
        assert set(one.get("secrets", ())) <= secrets
        for mount in one.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                used.add(source)
    assert used == volumes


def test_no_image_is_latest_and_every_port_is_loopback():
    for name, one in SERVICES.items():
        tag = one["image"].replace("${AETHER_VERSION:-", "").rstrip("}").rpartition(":")[2]
        assert tag, name
        assert tag != "latest", name
        for port in one.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


@pytest.mark.parametrize("name", OURS)
def test_a_process_of_ours_has_settings_and_a_program_of_the_code(name):
    one = OURS[name]
    environment = one.get("environment", {})
    assert set(environment) <= known_variables()
    for variable_name, value in environment.items():
        if value is not None and variable_name not in INHERITED:
            settings_problem(variable_name, re.sub(r"\$\{\w+:[-?]([^}]*)\}", "generated", value))
    require_program(one["command"])
    if name not in COPIERS:
        assert one["user"] == "10001:10001"
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]


def test_every_setting_can_be_given():
    passed = {name for one in OURS.values() for name in one.get("environment", ())}
    assert known_variables() - INHERITED - passed == NOT_OF_CONTAINERS


def test_every_process_of_the_code_has_a_service():
    commands = " ".join(one["command"] for one in OURS.values())
    started = set(re.findall(r'"((?:workers|api|infra\.stack)\.[a-z_.]+)"', source("embedded.py")))
    wanted = started - HELPERS - {"api.__main__"} | {"api"}
    assert wanted
    assert {module for module in wanted if f"python -m {module}" not in commands + " "} == set()


def test_ports_are_those_of_the_code():
    settings = Settings(learning=True, events_url="tls://broker.example:4222")
    text = yaml.safe_dump({name: SERVICES[name] for name in OURS})
    needed = {*ports.needed(settings).values(), 5432}
    assert {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", text)} <= needed
    assert SERVICES["temporal"]["ports"] == [f"127.0.0.1:{settings.temporal_port}:7233"]
    assert SERVICES["temporal-ui"]["ports"] == [f"127.0.0.1:{settings.temporal_ui_port}:8080"]
    health = {name: settings.health_port(name) for name in ports.beside(settings)}
    health |= {
        "api": settings.api_port,
        "exchange": settings.exchange_port,
        "market": settings.market_metrics_port,
        "trading": settings.trading_metrics_port,
    }
    asked = {name: one["healthcheck"]["test"] for name, one in OURS.items() if "healthcheck" in one}
    for name, port in health.items():
        assert f"http://127.0.0.1:{port}/readyz" in asked[name][-1], name
    caddy = (ROOT / "infra" / "compose" / "Caddyfile").read_text()
    assert f"reverse_proxy 127.0.0.1:{settings.api_port}" in caddy


def test_alertmanager_posts_to_the_platform_with_a_token_that_is_mounted():
    path = ROOT / "infra" / "prometheus" / "alertmanager.yaml"
    described = json.loads((ROOT / "ui" / "api.json").read_text())
    receivers = {one["name"]: one for one in yaml.safe_load(path.read_text())["receivers"]}
    for name in ("pages", "tickets"):
        (posted,) = receivers[name]["webhook_configs"]
        route = "/api/v1/notifications/alertmanager"
        assert posted["url"] == f"http://127.0.0.1:{Settings().api_port}{route}"
        assert "post" in described["paths"][route]
        token = Path(posted["http_config"]["authorization"]["credentials_file"])
        mounts = dict(mount.split(":")[:2] for mount in SERVICES["alertmanager"]["volumes"])
        assert mounts["alertmanager-token"] == str(token.parent)
    copier = SERVICES["alertmanager-token"]
    assert copier["command"].endswith(f" /run/secrets/alertmanager-token {token}")
    assert copier["volumes"] == [f"alertmanager-token:{token.parent}"]
    (secret,) = copier["secrets"]
    assert COMPOSE["secrets"][secret]["file"] == "./.alertmanager-token"
    waits = SERVICES["alertmanager"]["depends_on"]["alertmanager-token"]
    assert waits == {"condition": "service_completed_successfully"}


def test_every_password_is_made_at_random_and_none_has_a_default(tmp_path):
    write_secrets(tmp_path, "desk.example")
    text = (ROOT / "temporal-compose.yml").read_text()
    lines = (tmp_path / ".env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines)
    demanded = set(re.findall(r"\$\{(\w+):\?", text))
    assert demanded == set(values)
    assert not re.search(r"PASSWORD:-", text)
    passwords = [value for name, value in values.items() if name != "AETHER_HOST_NAME"]
    assert len(set(passwords)) == len(passwords)
    assert min(map(len, passwords)) >= 40
    for name in (".env", ".pgpass", ".alertmanager-token"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    before = (tmp_path / ".env").read_bytes()
    with pytest.raises(StateError, match="nothing was changed"):
        write_secrets(tmp_path, "desk.example")
    assert (tmp_path / ".env").read_bytes() == before


@pytest.fixture(scope="module")
def server():
    """A server where nothing of ours was made yet but its passwords."""
    with running_postgres() as running:
        with psycopg.connect(running.cluster.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE aether_template")
            for role in Role:
                connection.execute(f"DROP ROLE {role}")
        yield running


def test_the_roles_are_those_of_the_code_and_prepare_and_backups_need_no_more(
    server, tmp_path, monkeypatch
):
    environment = {variable(role): f"password of {role}" for role in ROLES}
    environment |= {
        "PATH": f"{postgres_binaries.binary_directory()}:/usr/bin:/bin",
        "PGHOST": str(server.cluster.sockets),
        "PGUSER": "postgres",
    }
    script = ROOT / "infra" / "compose" / "roles.sh"
    done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    home = tmp_path / "home"
    monkeypatch.setenv("AETHER_HOME", str(home))
    monkeypatch.setenv("AETHER_DATABASE_URL", server.url(Role.APP, "aether"))
    monkeypatch.setenv("AETHER_TEMPORAL_ADDRESS", "127.0.0.1:22801")
    Stack(Settings()).prepare(lambda _: None)
    assert local_secrets(home / "secrets").administrator_token()
    assert (home / "exchange" / "accounts.json").exists()
    assert not (home / "postgres").exists()
    with psycopg.connect(server.cluster.url()) as connection:
        rows = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolreplication, rolpassword LIKE 'SCRAM-%%'"
            " FROM pg_authid WHERE rolname LIKE %s",
            ["aether_%"],
        ).fetchall()
    backup = ("aether_backup", False, True, True, True)
    others = {(role.value, False, False, False, True) for role in Role}
    assert set(rows) == {backup, *others}
    url = server.url("aether_backup", "aether")
    assert set(clusters.heads(url)) == {"company", "director-1", "director-2", "platform"}
    assert clusters.revision(url)
    assert "accounts" in clusters.books(url)
    clusters.base_backup(url, tmp_path / "copy")


def test_the_image_holds_what_the_code_is_made_of():
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {word for line in copied for word in line.split()}
    assert {source for source in sources if not (ROOT / source).exists()} == set()
    packages = re.search(r"^PACKAGES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(packages[1].split()) <= sources
    assert "--require-hashes" in DOCKERFILE
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    foreign = [base for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) if ":" in base]
    stages = set(re.findall(r" AS (\S+)$", DOCKERFILE, re.MULTILINE))
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) <= {*foreign, *stages}
    assert not any(base.endswith(":latest") for base in foreign)


def test_the_pages_are_where_the_installed_code_looks_for_them():
    version = re.search(r"^FROM python:(\d+\.\d+)", DOCKERFILE, re.MULTILINE)[1]
    copied = re.search(r"^COPY --from=pages /build/(\S+) (\S+)$", DOCKERFILE, re.MULTILINE)
    place = BUILT.relative_to(ROOT).as_posix()
    assert copied.groups() == (place, f"/opt/aether/lib/python{version}/site-packages/{place}")
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    secret = {".env", ".pgpass", ".alertmanager-token"}
    assert {f"ui/{name}" for name in NOT_SOURCES} | secret <= set(ignored)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_command_that_exists_with_settings_that_do(path):
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(path)
    text = path.read_text()
    for words in re.findall(r"^Exec\w+=\S*/\.venv/bin/aether (.*)$", text, re.MULTILINE):
        require_command(words.split())
    for name, value in re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE):
        assert name in known_variables()
        settings_problem(name, value)
    if path.suffix == ".service":
        assert unit["Service"]["User"] == "aether"
        assert unit["Service"]["NoNewPrivileges"] == "yes"
    else:
        assert (path.with_suffix(".service")).exists()
