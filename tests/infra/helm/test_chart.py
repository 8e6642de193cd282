"""The chart, as helm renders it for each overlay: valid, within policy, and true to the code."""

import copy
import json
import re
import subprocess
from importlib.util import find_spec
from pathlib import Path

import click
import kubernetes_validate
import pytest
import typer
import yaml

from cli.main import build_app
from infra.runtime.settings import Settings
from infra.runtime.temporal import workers as temporal_workers
from infra.stack import ports
from infra.stack.programs.environment import INHERITED

ROOT = Path(__file__).parents[3]
CHART = ROOT / "infra" / "helm" / "aether"
OVERLAYS = ROOT / "infra" / "helm" / "overlays"
KUBERNETES = "1.34.0"
FORMS = {
    "plain": [],
    "staging": ["staging"],
    "production": ["production"],
    "linode": ["production", "linode"],
    "events": ["production", "events"],
    "learning": ["production", "learning"],
}
NOT_ON_KUBERNETES = {
    # The CronJob makes backups.
    "AETHER_BACKUP_SCHEDULE",
    # The registry is in the pod.
    "AETHER_REGISTRY_ADDRESS",
    # Vault is read through External Secrets.
    *("AETHER_SECRETS_KEY_FILE", "AETHER_SECRETS_PASSPHRASE_FILE"),
}
FOREIGN = {"ExternalSecret", "Certificate", "ServiceMonitor"}
"""Kinds of other projects, whose schemas are not here."""


@pytest.fixture(scope="session")
def helm():
    script = ROOT / "infra" / "tools" / "provide.sh"
    found = subprocess.run([script, "helm"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def render(helm, overlays, *words):
    files = [word for name in overlays for word in ("--values", str(OVERLAYS / f"{name}.yaml"))]
    command = [helm, "template", "aether", CHART, "--namespace", "aether"]
    command += ["--kube-version", KUBERNETES, *files, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session", params=FORMS)
def documents(helm, request):
    done = render(helm, FORMS[request.param])
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def pod_specs(documents):
    for one in documents:
        if one["kind"] == "StatefulSet":
            yield one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers(documents):
    for spec in pod_specs(documents):
        yield from (*spec.get("initContainers", ()), *spec["containers"])


def violations(documents):
    """Return what Pod Security "restricted" and our own policy forbid."""
    found = [fault for spec in pod_specs(documents) for fault in pod_faults(spec)]
    found += [
        f"{one['name']} {fault}" for one in containers(documents) for fault in container_faults(one)
    ]
    return found + ["a secret in the chart" for one in documents if one["kind"] == "Secret"]


def pod_faults(spec):
    context = spec.get("securityContext", {})
    profile = context.get("seccompProfile", {}).get("type")
    forbidden = {
        "a pod may run as root": not context.get("runAsNonRoot"),
        "a pod without seccomp profile": profile != "RuntimeDefault",
        "a pod in a namespace of its host": any(
            spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")
        ),
        "a pod with a token of the cluster": spec.get("automountServiceAccountToken") is not False,
    }
    allowed = {"name", "configMap", "emptyDir", "persistentVolumeClaim", "secret"}
    others = [f"volume {one['name']}" for one in spec["volumes"] if not set(one) <= allowed]
    return [fault for fault, holds in forbidden.items() if holds] + others


def container_faults(one):
    context, resources = one.get("securityContext", {}), one.get("resources", {})
    secret = re.compile(r"://[^/@]*:[^/@]*@|PASSWORD|TOKEN")
    forbidden = {
        "may gain privileges": context.get("allowPrivilegeEscalation") is not False,
        "has capabilities": context.get("capabilities") != {"drop": ["ALL"]},
        "may write to its root": context.get("readOnlyRootFilesystem") is not True,
        "has no version": not re.search(r"(:[^:/@]+|@sha256:[0-9a-f]{64})$", one["image"]),
        "is latest": one["image"].endswith(":latest"),
        "has a secret": any(secret.search(str(variable)) for variable in one.get("env", ())),
    }
    for kind in ("requests", "limits"):
        forbidden[f"without {kind}"] = set(resources.get(kind, ())) != {"cpu", "memory"}
    return [fault for fault, holds in forbidden.items() if holds]


def test_every_document_is_one_of_kubernetes(documents):
    for one in documents:
        if one["kind"] not in FOREIGN:
            kubernetes_validate.validate(one, ".".join(KUBERNETES.split(".")[:2]), strict=True)


def test_a_field_that_kubernetes_does_not_know_is_found(documents):
    (pod,) = [copy.deepcopy(one) for one in documents if one["kind"] == "StatefulSet"]
    pod["spec"]["template"]["spec"]["containers"][0]["enviroment"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, "1.34", strict=True)


def test_all_is_within_policy(documents):
    assert violations(documents) == []


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (lambda c: c.update(image="x/y:latest"), "is latest"),
        (lambda c: c.update(image="x/y"), "has no version"),
        (lambda c: c["resources"].pop("limits"), "without limits"),
        (lambda c: c["securityContext"].pop("capabilities"), "has capabilities"),
        (lambda c: c["env"].append({"name": "API_TOKEN", "value": "x"}), "has a secret"),
    ],
)
def test_what_breaks_the_policy_is_found(documents, change, wanted):
    changed = copy.deepcopy(documents)
    change(next(iter(containers(changed))))
    assert [one for one in violations(changed) if wanted in one]


def known_variables():
    fields = Settings.model_fields
    known = {f"AETHER_{name.upper()}" for name, f in fields.items() if not f.validation_alias}
    return known | {str(f.validation_alias) for f in fields.values() if f.validation_alias}


def test_lint_finds_nothing(helm):
    for overlays in FORMS.values():
        files = [w for name in overlays for w in ("--values", str(OVERLAYS / f"{name}.yaml"))]
        done = subprocess.run(
            [helm, "lint", "--strict", "--kube-version", KUBERNETES, CHART, *files],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_overlay_is_rendered():
    assert {path.stem for path in OVERLAYS.glob("*.yaml")} == {n for f in FORMS.values() for n in f}


def test_every_setting_is_made_by_the_chart_or_can_be_given(helm):
    schema = json.loads((CHART / "values.schema.json").read_text())
    given = set(schema["properties"]["settings"]["propertyNames"]["enum"])
    made = {
        variable["name"]
        for overlays in (["production", "events", "learning"],)
        for one in containers(
            [one for one in yaml.safe_load_all(render(helm, overlays).stdout) if one]
        )
        for variable in one.get("env", ())
    } - {"AETHER_SMTP_HOST", "AETHER_SMTP_SENDER"}
    assert given & made == set(), "what the chart decides cannot be given as well"
    vault = {name for name in known_variables() if name.startswith("AETHER_VAULT_")}
    assert known_variables() - made - given == NOT_ON_KUBERNETES | vault


def test_a_setting_is_passed_to_every_process_of_the_platform(documents):
    ours = [one for one in containers(documents) if one["name"] != "gateway"]
    asked = {"AETHER_SMTP_HOST": "mail.example", "AETHER_LEARNING": "true"}
    passed = [{v["name"]: v["value"] for v in one["env"]} for one in ours]
    found = [{name: one[name] for name in asked if name in one} for one in passed]
    assert all(one in ({}, asked) for one in found)
    assert all(one == found[0] for one in found)


def test_every_variable_is_one_of_the_code(documents):
    known = known_variables()
    for one in containers(documents):
        variables = {variable["name"]: variable["value"] for variable in one.get("env", ())}
        unknown = set(variables) - known - INHERITED
        assert not unknown, one["name"]
        if variables:
            aliases = {"MARKET": "MARKET", "SPEED": "SPEED"}
            values = {
                aliases.get(name, name.removeprefix("AETHER_").lower()): value
                for name, value in variables.items()
                if name in known
            }
            Settings(**values)  # each value is one that the code takes


def test_every_process_is_a_module_and_every_command_exists(documents):
    app = typer.main.get_command(build_app([]))
    modules = []
    for one in containers(documents):
        if one.get("command", [])[:2] == ["python", "-m"]:
            modules.append(one["command"][2])
            assert find_spec(one["command"][2]) is not None
        for script in one.get("args", ()):
            for group, command in re.findall(r"aether (\w+) (\w+)", script):
                found = app.get_command(click.Context(app), group)
                assert found.get_command(click.Context(found), command) is not None
    names = {one["name"] for one in containers(documents)}
    assert sorted(modules) == sorted(
        [
            *("api", "workers.embedded_exchange", "workers.market", *["workers.trading"] * 2),
            "workers.notifications.process",
            "workers.research.process",
            *(["workers.events.process"] if "events" in names else []),
            *(["infra.stack.model_registry", "workers.learning"] if "learning" in names else []),
        ]
    )


def test_what_is_off_by_default_comes_with_its_own_values_only(helm):
    def rendered(*overlays):
        return render(helm, overlays).stdout

    assert "workers.events.process" not in rendered("production")
    assert "AETHER_BACKUP_S3" not in rendered("production")
    assert "workers.learning" not in rendered("production")
    assert "workers.learning" in rendered("production", "learning")
    assert "workers.events.process" in rendered("production", "events")
    assert "AETHER_BACKUP_S3" in rendered("production", "events")


def test_the_dashboards_are_in_the_chart(documents):
    (made,) = [
        one
        for one in documents
        if one["kind"] == "ConfigMap" and one["metadata"]["name"].endswith("-dashboards")
    ]
    assert set(made["data"]) == {path.name for path in (CHART / "dashboards").glob("*.json")}
    for content in made["data"].values():
        assert json.loads(content)["uid"].startswith("aether-")


def test_every_port_is_one_of_the_code(documents):
    names = {one["name"] for one in containers(documents)}
    settings = Settings(
        learning="learning" in names,
        events_url="tls://broker.example:4222" if "events" in names else None,
    )
    needed = set(ports.needed(settings).values())
    text = yaml.safe_dump_all(documents)
    asked = {int(port) for port in re.findall(r"http://127\.0\.0\.1:(\d+)", text)}
    assert asked
    assert asked <= needed
    (gateway,) = [
        d["data"]["default.conf"]
        for d in documents
        if d["kind"] == "ConfigMap" and "default.conf" in d["data"]
    ]
    proxied = dict(
        re.findall(r"location = /(\w+) \{ proxy_pass http://127\.0\.0\.1:(\d+)", gateway)
    )
    assert {name: int(port) for name, port in proxied.items()} == {
        "api": settings.api_port,
        "trading": settings.trading_metrics_port,
        "market": settings.market_metrics_port,
        "exchange": settings.exchange_port,
        **{name: settings.health_port(name) for name in ports.beside(settings)},
    }
    probed = {
        one["name"]: int(re.search(r"127\.0\.0\.1:(\d+)", str(one["livenessProbe"]))[1])
        for one in containers(documents)
        if one["name"] in ports.beside(settings)
    }
    assert probed == {name: settings.health_port(name) for name in ports.beside(settings)}
    for one in documents:
        if one["kind"] == "ServiceMonitor":
            assert {end["path"] for end in one["spec"]["endpoints"]} == {f"/{n}" for n in proxied}


def test_what_is_asked_for_health_is_served(documents):
    for one in containers(documents):
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            command = one.get(kind, {}).get("exec", {}).get("command")
            if command:
                assert re.search(r"/(healthz|readyz)\"", command[2])
                compile(command[2], one["name"], "exec")


def test_whoever_works_has_time_to_end(documents):
    source = Path(temporal_workers.__file__).read_text()
    (grace,) = re.findall(r"graceful_shutdown_timeout=timedelta\(seconds=(\d+)\)", source)
    (pod,) = [one for one in documents if one["kind"] == "StatefulSet"]
    spec = pod["spec"]["template"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > 2 * int(grace)
    assert pod["spec"]["replicas"] == 1


def test_every_mounted_key_comes_from_an_external_secret(documents):
    made = {
        (one["spec"]["target"]["name"], entry["secretKey"])
        for one in documents
        if one["kind"] == "ExternalSecret"
        for entry in one["spec"].get("data", ())
    }
    whole = {
        one["spec"]["target"]["name"]
        for one in documents
        if one["kind"] == "ExternalSecret" and one["spec"].get("dataFrom")
    }
    certificates = {one["spec"]["secretName"] for one in documents if one["kind"] == "Certificate"}
    for spec in pod_specs(documents):
        for volume in spec["volumes"]:
            secret = volume.get("secret")
            if secret is None or secret["secretName"] in certificates | whole:
                continue
            asked = {(secret["secretName"], item["key"]) for item in secret["items"]}
            assert asked <= made
        names = {volume["name"] for volume in spec["volumes"]}
        for one in (*spec.get("initContainers", ()), *spec["containers"]):
            assert {mount["name"] for mount in one["volumeMounts"]} <= names


def test_nothing_goes_in_or_out_unless_it_is_said(documents):
    policies = {
        one["metadata"]["name"]: one["spec"] for one in documents if one["kind"] == "NetworkPolicy"
    }
    deny = policies.pop("aether-default-deny")
    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    selected = [policy["podSelector"]["matchLabels"] for policy in policies.values()]
    assert {one["app.kubernetes.io/component"] for one in selected} == {"platform", "backup"}
    for policy in policies.values():
        for rule in (*policy.get("ingress", ()), *policy.get("egress", ())):
            assert rule["ports"]
            assert rule.get("from") or rule.get("to")
    assert not policies["aether-backup"].get("ingress")
    out = [t for r in policies["aether-platform"]["egress"] for t in r["to"] if "ipBlock" in t]
    assert [len(one["ipBlock"]["except"]) for one in out] == [5]
    inward = [
        port["port"] for rule in policies["aether-platform"]["ingress"] for port in rule["ports"]
    ]
    (pod,) = [one for one in documents if one["kind"] == "StatefulSet"]
    (gateway,) = [c for c in pod["spec"]["template"]["spec"]["containers"] if c.get("ports")]
    assert inward == [port["containerPort"] for port in gateway["ports"]]


@pytest.mark.parametrize(
    "value",
    [
        "image.tag=latest",
        "unknown=1",
        "database.url=postgresql://aether_app:secret@host:5432/aether?sslmode=verify-full",
        "database.url=postgresql://aether_app@host:5432/aether",
        "market=binance",
        "resources.api.limits.cpu=",
        "settings.AETHER_UNKNOWN=1",
        "settings.AETHER_HOME=/elsewhere",
        "settings.AETHER_WITNESS_URL=https://name:secret@host",
    ],
)
def test_values_that_are_wrong_are_refused(helm, value):
    done = render(helm, [], "--set-string", value)
    assert done.returncode != 0
    assert "schema" in done.stderr
