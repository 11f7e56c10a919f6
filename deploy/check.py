#!/usr/bin/env python3
"""Compares docker-compose.yml and deploy/ with each other, the programs' help, and real metrics.

    deploy/check.py [--programs DIRECTORY] [--metrics URL ...] [--compose-schema FILE]

Prints one line for each check, and exits with 1 if a check failed. Lines that start with "skip" show checks that need a
missing tool. Needs python3-yaml (otherwise only JSON, help and units are checked); promtool, systemd-analyze and jsonschema
are used if they are installed.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

try:
    import yaml
except ImportError:
    yaml = None

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE = ROOT / "docker-compose.yml"
PROGRAMS = ["carillon-scheduler", "carillon-worker", "carillon-gateway"]
# The default ports of the programs, and the ports of probes and scrapes.
PORTS = {"carillon-scheduler": {7070, 7071}, "carillon-worker": {7072}, "carillon-gateway": {8000}}
PROBE_PORT = {"carillon-scheduler": 7071, "carillon-worker": 7072, "carillon-gateway": 8000}
PROBES = {"/livez", "/readyz"}
# Variables that only libraries read.
LIBRARY_VARIABLES = re.compile(r"PG[A-Z]+$|TZDIR$")

# Variables with the database's address or secrets.
DATABASE_VARIABLES = re.compile(r"(DATABASE_|PG|POSTGRES_)")

passed = failed = 0


def check(what, problems=()):
    """A check that passes if there are no problems; `problems` is a text or a list of texts."""
    global passed, failed
    problems = [problems] if isinstance(problems, str) else [str(p) for p in problems]
    problems = [p for p in problems if p]
    if problems:
        failed += 1
        print(f"FAIL  {what}: " + "; ".join(problems))
    else:
        passed += 1
        print(f"ok    {what}")
    return not problems


def guarded(what, default, work, *arguments, **named):
    """The result of a group of checks; an exception for an unexpected structure counts as a failure."""
    try:
        return work(*arguments, **named)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, OSError) as error:
        check(what, f"not of the expected form: {type(error).__name__} {error}")
        return default


def skip(what, why):
    print(f"skip  {what}: {why}")


def name_of(path):
    return str(path.relative_to(ROOT))


# ------------------------------------------------------------------------------------------------------------ syntax


def load_yaml():
    """All YAML files, parsed: {path: [documents]}."""
    files = [COMPOSE] + sorted(p for e in ("*.yml", "*.yaml") for p in DEPLOY.rglob(e))
    if yaml is None:
        skip(f"{len(files)} YAML files", "python3-yaml is not installed")
        return {}

    class Strict(yaml.SafeLoader):
        """Rejects duplicate keys in a mapping, which YAML forbids and PyYAML accepts."""

        def construct_mapping(self, node, deep=False):
            keys = [k.value for k, _ in node.value if k.tag != "tag:yaml.org,2002:merge"]
            for key in keys:
                if keys.count(key) > 1:
                    raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
            return super().construct_mapping(node, deep)

    parsed = {}
    for path in files:
        try:
            with open(path) as file:
                parsed[path] = [d for d in yaml.load_all(file, Loader=Strict) if d is not None]
            check(f"{name_of(path)} parses", [] if parsed[path] else "it is empty")
        except yaml.YAMLError as error:
            check(f"{name_of(path)} parses", str(error).replace("\n", " "))
    return parsed


# ----------------------------------------------------------------------------------------------------------- compose

# Of the Compose Specification; only `deploy` and `build` are looked into.
COMPOSE_KEYS = set("name include services networks volumes secrets configs models version".split())
SERVICE_KEYS = set(
    """annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name
    cpu_count cpu_percent cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec
    depends_on deploy develop device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file
    environment expose extends external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation
    label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models
    network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged
    profiles provider pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open
    stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user userns_mode uts volumes
    volumes_from working_dir""".split()
)
HEALTH_KEYS = set("test interval timeout retries start_period start_interval disable".split())
BUILD_KEYS = set("context dockerfile args target labels platforms tags pull network cache_from cache_to".split())
DEPLOY_KEYS = set("mode endpoint_mode replicas labels placement resources restart_policy rollback_config update_config".split())
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
DURATION = re.compile(r"(\d+(us|ms|s|m|h))+$")
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)(:?[-?+])?([^}]*)\}")


def resolve(text):
    """The text with Compose's variables replaced by their defaults."""
    return INTERPOLATED.sub(lambda m: m.group(3) if (m.group(2) or "").endswith("-") else "", str(text))


def check_compose(compose):
    services = compose.get("services", {})

    def each(find):
        return [f"{name}: {p}" for name, service in services.items() for p in find(service)]

    check(
        "compose: keys at the top are known",
        [f"{key} is not" for key in compose if key not in COMPOSE_KEYS and not key.startswith("x-")],
    )
    check(
        "compose: keys of services are known",
        each(
            lambda s: [k for k in s if k not in SERVICE_KEYS]
            + [f"healthcheck.{k}" for k in s.get("healthcheck", {}) if k not in HEALTH_KEYS]
            + [f"deploy.{k}" for k in s.get("deploy", {}) if k not in DEPLOY_KEYS]
            + [f"build.{k}" for k in s.get("build", {}) if k not in BUILD_KEYS]
        ),
    )

    def dependencies(service):
        needed = service.get("depends_on", {})
        for other in needed:
            if other not in services:
                yield f"{other} is no service"
            elif isinstance(needed, dict):
                condition = needed[other].get("condition")
                if condition not in CONDITIONS:
                    yield f"{condition} is no condition"
                if condition == "service_healthy" and "healthcheck" not in services[other]:
                    yield f"{other} has no healthcheck"

    check("compose: depends_on names services", each(dependencies))

    def circle(name, seen=()):
        if name in seen:
            return " → ".join([*seen, name])
        return next(filter(None, (circle(o, (*seen, name)) for o in services.get(name, {}).get("depends_on", {}))), "")

    check("compose: depends_on has no circle", next(filter(None, map(circle, services)), ""))

    declared = set(compose.get("volumes") or {})
    used = set()

    def volumes(service):
        for volume in service.get("volumes", []):
            if not isinstance(volume, str) or not re.match(r"[^:]+:/[^:]+(:ro|:rw)?$", volume):
                yield f"{volume} is not SOURCE:/TARGET"
                continue
            source = volume.split(":")[0]
            if source.startswith((".", "/")):
                if not (ROOT / source).exists():
                    yield f"{source} is not there"
            elif source not in declared:
                yield f"{source} is not declared"
            else:
                used.add(source)

    check("compose: volumes are declared, paths exist", each(volumes))
    check("compose: every volume is used", sorted(declared - used))

    def ports(service):
        for port in service.get("ports", []):
            if not re.match(r"127\.0\.0\.1:\d+:\d+$", str(port)):
                yield f"{port} is not 127.0.0.1:PORT:PORT"

    check("compose: ports are published on 127.0.0.1 only", each(ports))
    published = [str(p).rsplit(":", 1)[0] for s in services.values() for p in s.get("ports", [])]
    check("compose: no port is published twice", sorted({p for p in published if published.count(p) > 1}))
    check("compose: the gateway is on 127.0.0.1:8000", "" if "127.0.0.1:8000" in published else "it is not")
    check("compose: images have a version", each(lambda s: image_problems(s.get("image"))))

    def times(service):
        health = service.get("healthcheck", {})
        for key in ("interval", "timeout", "start_period"):
            if key in health and not DURATION.match(str(health[key])):
                yield f"healthcheck.{key} is {health[key]}"
        if "stop_grace_period" in service and not DURATION.match(service["stop_grace_period"]):
            yield f"stop_grace_period is {service['stop_grace_period']}"
        test = health.get("test")
        if test and (not isinstance(test, list) or test[0] not in ("CMD", "CMD-SHELL", "NONE")):
            yield f"healthcheck.test is {test}"

    check("compose: durations and tests are well formed", each(times))

    ours = {n: s for n, s in services.items() if program_of(s.get("command"))}
    check(
        "compose: every program has a service",
        [p for p in PROGRAMS if p not in {program_of(s["command"]) for s in ours.values()}],
    )
    check(
        "compose: our services have what they need",
        [
            f"{n} has no {key}"
            for n, s in ours.items()
            for key in ("healthcheck", "stop_grace_period", "restart", "build", "read_only", "cap_drop")
            if not s.get(key)
        ],
    )
    problems = []
    for n, s in ours.items():
        program, test = program_of(s["command"]), s.get("healthcheck", {}).get("test", [])
        if test[:2] != ["CMD", "carillon-probe"] or test[2:3] != [str(PROBE_PORT[program])] or test[3] not in PROBES:
            problems.append(f"{n}: {test}")
        for host, port in addresses(s.get("environment", {})):
            if host == "0.0.0.0":
                if port not in PORTS[program]:
                    problems.append(f"{n} listens on {port}")
            elif host in services:
                if port not in PORTS.get(program_of(services[host].get("command")), {5432}):
                    problems.append(f"{n} connects to {host}:{port}")
            else:
                problems.append(f"{n}: {host} is no service")
    check("compose: probes and ports are the programs' own", problems)
    passwords = [
        f"{n}.{k}"
        for n, s in services.items()
        for k, v in s.get("environment", {}).items()
        if re.search("PASS|SECRET|TOKEN", k) and not INTERPOLATED.match(str(v))
    ]
    passwords += [n for n, s in services.items() if re.search(r"://[^@/]*:[^@/]*@", json.dumps(s))]
    check("compose: passwords come from the environment", passwords)
    dockerfile = ROOT / services[next(iter(ours))]["build"]["dockerfile"] if ours else DEPLOY / "Dockerfile"
    check_dockerfile(dockerfile)
    return ours


def image_problems(image):
    image = image or ""
    tag = image.rsplit("/", 1)[-1].partition(":")[2]
    if not re.search(r"\d", tag):
        return [f"{image or 'no image'} names no version"]
    return []


def program_of(command):
    words = command.split() if isinstance(command, str) else command or [""]
    return words[0] if words[0] in PROGRAMS else None


def addresses(environment):
    """(host, port) of every HOST:PORT and database URL among the values."""
    for value in environment.values():
        value = resolve(value)
        for url in re.findall(r"^postgresql://(?:[^@/]*@)?([^/?]+)", value) or [value]:
            for part in url.split(","):
                match = re.match(r"([a-z0-9.-]+):(\d+)$", part)
                if match:
                    yield match.group(1), int(match.group(2))


def check_dockerfile(path):
    text = re.sub(r"\\\n", " ", path.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    problems = []
    for line in lines:
        if line.startswith("FROM "):
            image = line.split()[1]
            # A Debian release's name is a version too.
            if not image.startswith("debian:bookworm") and image_problems(image):
                problems.append(f"{image} names no version")
        if line.startswith(("COPY ", "ADD ")) and "--from=" not in line:
            for source in [w for w in line.split()[1:-1] if not w.startswith("--")]:
                if not list(ROOT.glob(source)):
                    problems.append(f"{source} is not there")
                elif not allowed(source):
                    problems.append(f".dockerignore keeps {source} out")
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    if not users or users[-1].split(":")[0] in ("0", "root"):
        problems.append("it runs as root")
    check(f"{name_of(path)}: versions, sources, user", problems)
    manifest = ROOT / "Package.swift"
    needed = {"Sources"} | set(re.findall(r'path: "([^"/]+)', manifest.read_text()))
    if ".testTarget(" in manifest.read_text():
        needed.add("Tests")
    copied = {w.rstrip("/") for line in lines if line.startswith("COPY ") for w in line.split()[1:-1]}
    check(f"{name_of(path)}: copies what Package.swift names", [f"{n} is missing" for n in sorted(needed - copied)])


def allowed(source):
    """Whether .dockerignore includes a path: the file excludes all paths except those of its `!` lines."""
    kept = [line[1:].strip().rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    if "*" in source:
        return any(Path(k).match(source) for k in kept)
    return any(source.rstrip("/") == k or source.startswith(k + "/") for k in kept)


# -------------------------------------------------------------------------------------------------------- kubernetes


def check_kubernetes(parsed):
    """Checks the manifests; returns [(file, program, environment names, flags)]."""
    found = []
    documents = [(p, d) for p, ds in parsed.items() if p.parent.name == "kubernetes" for d in ds]
    check(
        "kubernetes: every object has apiVersion, kind and name",
        [name_of(p) for p, d in documents if not (d.get("apiVersion") and d.get("kind") and d.get("metadata", {}).get("name"))],
    )
    namespaces = {d["metadata"]["name"] for _, d in documents if d["kind"] == "Namespace"}
    check(
        "kubernetes: namespaces are declared",
        [
            f"{d['kind']} {d['metadata']['name']}"
            for _, d in documents
            if d["kind"] != "Namespace" and d["metadata"].get("namespace") not in namespaces
        ],
    )
    deployments = [(p, d) for p, d in documents if d["kind"] == "Deployment"]
    services = {d["metadata"]["name"]: d for _, d in documents if d["kind"] == "Service"}
    secrets = {
        d["metadata"]["name"]: {**d.get("data", {}), **d.get("stringData", {})} for _, d in documents if d["kind"] == "Secret"
    }

    def matches(selector):
        return [d for _, d in deployments if selector.items() <= d["spec"]["template"]["metadata"]["labels"].items()]

    selectors = [(d, d["spec"]["selector"].get("matchLabels", d["spec"]["selector"])) for _, d in documents
                 if d["kind"] in ("Service", "PodDisruptionBudget", "Deployment")]
    check(
        "kubernetes: every selector finds one deployment",
        [f"{d['kind']} {d['metadata']['name']} finds {len(matches(s))}" for d, s in selectors if len(matches(s)) != 1],
    )
    for path, deployment in deployments:
        spec = deployment["spec"]["template"]["spec"]
        name, problems = deployment["metadata"]["name"], []
        if not spec.get("securityContext", {}).get("runAsNonRoot"):
            problems.append("may run as root")
        if not spec.get("terminationGracePeriodSeconds"):
            problems.append("has no terminationGracePeriodSeconds")
        for container in spec["containers"]:
            program = program_of(container.get("args"))
            security = container.get("securityContext", {})
            ports = {p["name"]: p["containerPort"] for p in container.get("ports", [])}
            if program is None:
                problems.append(f"args {container.get('args')} name no program")
                continue
            if not security.get("readOnlyRootFilesystem") or security.get("allowPrivilegeEscalation") is not False:
                problems.append("has a root file system to write to, or may gain privileges")
            problems += image_problems(container["image"])
            for kind, wanted in (("readinessProbe", "/readyz"), ("livenessProbe", "/livez")):
                probe = container.get(kind, {}).get("httpGet", {})
                port = ports.get(probe.get("port"), probe.get("port"))
                if probe.get("path") != wanted or port != PROBE_PORT[program]:
                    problems.append(f"{kind} asks {port}{probe.get('path')}")
            if not set(ports.values()) <= PORTS[program]:
                problems.append(f"ports {sorted(ports.values())}")
            annotation = deployment["spec"]["template"]["metadata"].get("annotations", {}).get("prometheus.io/port")
            if annotation != str(PROBE_PORT[program]):
                problems.append(f"prometheus.io/port is {annotation}")
            variables = {e["name"]: e for e in container.get("env", [])}
            references = set(re.findall(r"\$\((\w+)\)", json.dumps(list(variables.values()))))
            for reference in references - set(variables):
                problems.append(f"$({reference}) is not set")
            for variable in variables.values():
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference and reference["key"] not in secrets.get(reference["name"], {}):
                    problems.append(f"{variable['name']}: no such key in a secret")
            for host, port in addresses({n: e.get("value", "") for n, e in variables.items()}):
                if host == "0.0.0.0":
                    if port not in ports.values():
                        problems.append(f"listens on {port}, which is no containerPort")
                elif port not in [p["port"] for p in services.get(host, {"spec": {"ports": []}})["spec"]["ports"]]:
                    problems.append(f"{host}:{port} is no service")
            # Variables that are only used in $(…) are not for the program.
            found.append((name_of(path), program, set(variables) - references, container["args"][1:]))
        check(f"kubernetes: {name} is sound", problems)
    for name, service in services.items():
        known = {
            p["name"] for d in matches(service["spec"]["selector"]) for c in d["spec"]["template"]["spec"]["containers"]
            for p in c["ports"]
        }
        check(
            f"kubernetes: service {name} leads to ports that are there",
            [str(p["targetPort"]) for p in service["spec"]["ports"] if p["targetPort"] not in known],
        )
    return found


# ----------------------------------------------------------------------------------------------------------- systemd


def check_systemd():
    """Checks the units; returns [(file, program or None for any, environment names, flags)]."""
    found = []
    folder = DEPLOY / "systemd"
    units = sorted(folder.glob("*.service"))
    for path in units:
        values = {}
        for line in path.read_text().splitlines():
            if "=" in line and not line.startswith(("#", ";")):
                key, value = line.split("=", 1)
                values.setdefault(key.strip(), []).append(value.strip())
        words = values.get("ExecStart", [""])[0].split()
        program = os.path.basename(words[0]) if words else ""
        problems = [
            f"{key} is {values.get(key)}"
            for key, wanted in (
                ("Restart", ["always"]), ("KillSignal", ["SIGTERM"]), ("NoNewPrivileges", ["yes"]),
                ("ProtectSystem", ["strict"]), ("WantedBy", ["multi-user.target"]),
            )
            if values.get(key) != wanted
        ]
        problems += [f"{key} is missing" for key in ("TimeoutStopSec", "LimitNOFILE", "EnvironmentFile") if key not in values]
        if program not in PROGRAMS:
            problems.append(f"ExecStart starts {program}")
        for file in values.get("EnvironmentFile", []):
            if not (folder / (os.path.basename(file) + ".example")).exists():
                problems.append(f"{file} has no example")
        check(f"systemd: {path.name} is sound", problems)
        found.append((name_of(path), program, set(), words[1:]))
    for path in sorted(folder.glob("*.env.example")):
        names = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", path.read_text(), re.MULTILINE))
        owner = "carillon-" + path.name.split(".")[0]
        found.append((name_of(path), owner if owner in PROGRAMS else None, names, []))
    if shutil.which("systemd-analyze") is None:
        skip("systemd-analyze verify", "it is not installed")
        return found
    with tempfile.TemporaryDirectory() as scratch:
        copies = []
        for path in units:
            # systemd-analyze requires an existing program; any program works.
            text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
            copies.append(Path(scratch) / path.name.replace("@.", "@7072."))
            copies[-1].write_text(text)
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *map(str, copies)], capture_output=True, text=True
        )
        ours = [line for line in result.stderr.splitlines() if scratch in line or "carillon" in line]
        check("systemd-analyze verify", ours)
    return found


# ----------------------------------------------------------------------------------------------------------- secrets


def check_secrets(uses):
    """Checks that only the scheduler gets the database's address and password; `uses` as in check_help."""
    for where, program, names, arguments in uses:
        problems = []
        if program != "carillon-scheduler":
            problems += [f"{n} is for the scheduler alone" for n in sorted(names) if DATABASE_VARIABLES.match(n)]
        problems += [f"{a.split('=')[0]} is visible to every user" for a in arguments if a.startswith("--database-")]
        check(f"{where}: keeps the database's password", problems)


# -------------------------------------------------------------------------------------------------------------- help


def check_help(uses, programs, must):
    """Checks that the help of each program lists every variable and flag used; `must`: the programs must exist."""
    texts = {}
    for program in PROGRAMS:
        path = programs / program
        if not os.access(path, os.X_OK):
            if must:
                check(f"{program} --help", f"{path} is not there")
            else:
                skip(f"{program} --help", f"{path} is not there; build, or give --programs")
            continue
        try:
            result = subprocess.run([path, "--help"], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            check(f"{program} --help", str(error))
            continue
        # With several commands the first help lists only the commands; the options are in the help of the default command.
        text = result.stdout
        if re.search(r"^\s+run\s.*\(default\)", text, re.MULTILINE):
            text += subprocess.run([path, "run", "--help"], capture_output=True, text=True, timeout=30).stdout
        if check(f"{program} --help", "" if result.returncode == 0 and text else f"status {result.returncode}"):
            texts[program] = text
    for where, program, names, arguments in uses:
        wanted = [program] if program else PROGRAMS
        if not any(p in texts for p in wanted) or (program is None and len(texts) < len(PROGRAMS)):
            if names or arguments:
                skip(f"{where}: variables and flags", "the program's help is not there")
            continue
        text = "\n".join(texts.get(p, "") for p in wanted)
        flags = {a.split("=")[0] for a in arguments if a.startswith("--")}
        missing = sorted(n for n in names if not LIBRARY_VARIABLES.match(n) and not re.search(rf"\b{n}\b", text))
        missing += sorted(f for f in flags if not re.search(rf"{re.escape(f)}(?![a-z-])", text))
        check(f"{where}: {program or 'the programs'} knows every variable and flag", missing)
    for program, text in texts.items():
        squeezed = re.sub(r"\s+", " ", text)
        defaults = {int(p) for p in re.findall(r"(?:127\.0\.0\.1:|from )(\d+)", squeezed)}
        check(
            f"{program} --help: default ports are those of deploy/",
            [f"{p} is not in it" for p in sorted(PORTS[program]) if p not in defaults],
        )


# ----------------------------------------------------------------------------------------------------------- metrics

SUFFIX = re.compile(r"_(bucket|sum|count)$")
WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LANGUAGE = set(
    """and or unless on ignoring group_left group_right by without bool offset sum min max avg count rate irate increase
    changes deriv delta histogram_quantile max_over_time min_over_time avg_over_time sum_over_time absent vector clamp_min
    clamp_max topk bottomk time abs""".split()
)


def documented():
    """{name: (type, labels, headings)} of METRICS.md."""
    metrics, heading = {}, ""
    for line in (DEPLOY / "METRICS.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        cells = [c.strip() for c in line.split("|")[1:-1]]
        match = re.match(r"`([a-z_:0-9]+)`$", cells[0]) if len(cells) == 5 else None
        if match:
            labels = set(re.findall(r"`([a-z_]+)`", cells[2]))
            kind, known, headings = metrics.get(match.group(1), (cells[1], set(), set()))
            metrics[match.group(1)] = (kind, known | labels, headings | {heading})
    return metrics


def parts(expression):
    """Names of metrics in a PromQL expression, and {metric or None: labels}."""
    expression = re.sub(r"#.*", "", expression)
    names, labels = set(), {}
    groups = []

    def selector(match):
        found = set(re.findall(r"([a-zA-Z_][a-zA-Z0-9_]*)\s*(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', match.group(2))))
        labels.setdefault(match.group(1), set()).update(found)
        return match.group(1)

    expression = re.sub(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*\{([^}]*)\}", selector, expression)
    expression = re.sub(r'"[^"]*"', "", expression)
    expression = re.sub(r"\[[^\]]*\]", "", expression)

    def grouping(match):
        groups.extend(w.strip() for w in match.group(2).split(",") if w.strip())
        return " "

    expression = re.sub(r"\b(by|without|on|ignoring)\s*\(([^)]*)\)", grouping, expression)
    for match in WORD.finditer(re.sub(r"\b\d+(\.\d+)?([smhdwy]|ms)?\b", "", expression)):
        if match.group() not in LANGUAGE:
            names.add(match.group())
    for name in names:
        labels.setdefault(name, set())
    return names, labels, set(groups)


def base(name, metrics):
    """The documented name of a series."""
    if name in metrics:
        return name
    short = SUFFIX.sub("", name)
    return short if metrics.get(short, ("",))[0] == "histogram" else None


def expressions(parsed, dashboard):
    for panel in dashboard.get("panels", []):
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"].replace("$__rate_interval", "1m")
    for annotation in dashboard.get("annotations", {}).get("list", []):
        yield f"annotation {annotation['name']}", annotation["expr"]
    for document in parsed.get(DEPLOY / "prometheus/rules.yml", []):
        for group in document["groups"]:
            for rule in group["rules"]:
                yield f"rule {rule.get('alert') or rule.get('record')}", rule["expr"]


def check_metrics(parsed, dashboard, urls):
    metrics = documented()
    check("deploy/METRICS.md has tables", "" if len(metrics) > 20 else f"only {len(metrics)} metrics")
    used, unknown, wrong = {}, [], []
    for where, expression in expressions(parsed, dashboard):
        names, labels, groups = parts(expression)
        allowed = {"job", "instance", "le"}
        for name in names:
            known = base(name, metrics)
            if known is None:
                unknown.append(f"{where}: {name}")
                continue
            used.setdefault(known, where)
            allowed |= metrics[known][1]
            extra = labels[name] - metrics[known][1] - {"job", "instance"} - ({"le"} if name.endswith("_bucket") else set())
            wrong += [f"{where}: {name} has no label {label}" for label in sorted(extra)]
        wrong += [f"{where}: no label {label}" for label in sorted(groups - allowed)]
    check(f"dashboard and rules: all {len(used)} metrics are in METRICS.md", unknown)
    check("dashboard and rules: all labels are in METRICS.md", wrong)
    source = "\n".join(p.read_text() for p in (ROOT / "Sources").rglob("*.swift"))
    ours = {n for n in metrics if n.startswith(("carillon_", "process_"))}
    written = set(re.findall(r'"((?:carillon|process)_[a-z_]+)"', source))
    written = {n for n in written if re.search(r"_(total|seconds|bytes|fds|info|threads)$", n) or n in ours or
               re.search(rf'(gauge|gauges|counter|counters|histogram|histograms|perWorker)\(\s*"{n}"', source)}
    check("METRICS.md: every metric is in the sources", sorted(ours - written))
    check("METRICS.md: every metric of the sources is in it", sorted(written - ours))
    if not urls:
        skip("metrics against real ones", "give --metrics URL ...")
        return
    real, types, texts, components = set(), {}, [], set()
    for url in urls:
        try:
            # Twice: the first may be the first request that the process counts.
            for _ in range(2):
                with urllib.request.urlopen(url, timeout=10) as answer:
                    text = answer.read().decode()
        except (OSError, ValueError, urllib.error.URLError) as error:
            check(f"{url} answers", str(error))
            continue
        check(f"{url} answers")
        texts.append((url, text))
        components |= set(re.findall(r'^carillon_build_info\{.*component="([a-z-]+)"', text, re.MULTILINE))
        for name, kind in re.findall(r"^# TYPE (\S+) (\S+)", text, re.MULTILINE):
            real.add(name)
            types[name] = kind
    exporter = "pg_up" in real
    if not exporter:
        skip("metrics of PostgreSQL against real ones", "no URL is postgres_exporter's")
    for program in PROGRAMS:
        if program not in components:
            skip(f"metrics of {program} against real ones", "no URL is its")
    absent = {p.removeprefix("carillon-").capitalize() for p in PROGRAMS if p not in components}
    wanted = {n for n in metrics if (n in ours and not metrics[n][2] <= absent) or (exporter and n.startswith("pg_"))}
    # Metrics with labels have no series before the first event.
    unseen = {n for n in wanted - real if metrics[n][1] and n in ours}
    if unseen:
        skip("metrics without a series yet", ", ".join(sorted(unseen)))
    check(f"METRICS.md: {len(wanted - unseen)} metrics are in real ones", sorted(wanted - real - unseen))
    check("real ones: every one of ours is in METRICS.md", sorted(n for n in real if n.startswith("carillon_") and n not in metrics))
    check(
        "METRICS.md: types are the real ones",
        [f"{n} is a {types[n]}" for n in sorted(wanted & real) if n in ours and types[n] != metrics[n][0]],
    )
    problems = []
    for url, text in texts:
        for name, labels in re.findall(r"^((?:carillon|process)_[a-z_]+)\{([^}]*)\}", text, re.MULTILINE):
            known = base(name, metrics)
            found = set(re.findall(r'([a-z_]+)="', labels))
            if known and not found <= metrics[known][1] | {"le"}:
                problems.append(f"{name}{{{', '.join(sorted(found - metrics[known][1]))}}}")
    check("METRICS.md: labels are the real ones", sorted(set(problems)))
    if shutil.which("promtool"):
        for url, text in texts:
            result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            check(f"promtool check metrics {url}", "" if result.returncode == 0 else (result.stderr or result.stdout).split("\n"))


# --------------------------------------------------------------------------------------------- grafana and prometheus


def check_grafana(parsed):
    path = DEPLOY / "grafana/dashboards/carillon.json"
    try:
        dashboard = json.loads(path.read_text())
    except ValueError as error:
        check(f"{name_of(path)} parses", str(error))
        return {}
    check(f"{name_of(path)} parses")
    panels = dashboard["panels"]
    ids = [p["id"] for p in panels]
    check("dashboard: ids of panels differ", sorted({str(i) for i in ids if ids.count(i) > 1}))
    check(
        "dashboard: panels have a title and, except rows, queries",
        [str(p["id"]) for p in panels if not p.get("title") or (p["type"] != "row" and not p.get("targets"))],
    )
    boxes = [(p["title"], p["gridPos"]) for p in panels]
    check(
        "dashboard: panels do not overlap, and fit",
        [t for t, g in boxes if g["x"] + g["w"] > 24]
        + [
            f"{a} on {b}"
            for i, (a, g) in enumerate(boxes)
            for b, h in boxes[i + 1:]
            if g["x"] < h["x"] + h["w"] and h["x"] < g["x"] + g["w"] and g["y"] < h["y"] + h["h"] and h["y"] < g["y"] + g["h"]
        ],
    )
    sources = parsed.get(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")
    if sources:
        known = {s["uid"] for d in sources for s in d["datasources"]}
        used = {p["datasource"]["uid"] for p in panels if "datasource" in p}
        used |= {t["datasource"]["uid"] for p in panels for t in p.get("targets", [])}
        used |= {a["datasource"]["uid"] for a in dashboard["annotations"]["list"]}
        check("dashboard: its data source is provisioned", sorted(used - known))
    if COMPOSE in parsed:
        services = parsed[COMPOSE][0]["services"]
        mounted = dict(v.split(":")[:2] for v in services["grafana"]["volumes"])
        target = mounted.get("./deploy/grafana/dashboards")
        paths = [
            p["options"]["path"] for d in parsed.get(DEPLOY / "grafana/provisioning/dashboards/carillon.yml", []) for p in d["providers"]
        ]
        check("dashboard: the provisioned folder is the mounted one", "" if paths == [target] else f"{paths}, {target}")
    return dashboard


def check_prometheus(parsed):
    folder = DEPLOY / "prometheus"
    config = parsed.get(folder / "prometheus.yml")
    if config and COMPOSE in parsed:
        services, problems = parsed[COMPOSE][0]["services"], []
        for scrape in config[0]["scrape_configs"]:
            for discovery in scrape.get("dns_sd_configs", []):
                for host in discovery["names"]:
                    program = program_of(services.get(host, {}).get("command"))
                    if program is None or discovery["port"] != PROBE_PORT[program] or scrape["job_name"] != program:
                        problems.append(f"{scrape['job_name']}: {host}:{discovery['port']}")
            for static in scrape.get("static_configs", []):
                for target in static["targets"]:
                    host = target.rsplit(":", 1)[0]
                    if host not in services and host != "127.0.0.1":
                        problems.append(f"{scrape['job_name']}: {host} is no service")
        check("prometheus: scrapes services of compose on their ports", problems)
    if shutil.which("promtool") is None:
        skip("promtool check config, check rules, test rules", "promtool (Debian: prometheus) is not installed")
        return
    for words in (["check", "config", "prometheus.yml"], ["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        result = subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True)
        check("promtool " + " ".join(words), "" if result.returncode == 0 else (result.stdout + result.stderr).split("\n"))


# --------------------------------------------------------------------------------------------------------------- main


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, help="where the programs are (default: .build/release, if they are there)")
    parser.add_argument("--metrics", nargs="+", default=[], metavar="URL", help="/metrics of running processes")
    parser.add_argument("--compose-schema", type=Path, metavar="FILE", help="the Compose Specification's compose-spec.json")
    options = parser.parse_args()

    parsed = load_yaml()
    uses = []
    if COMPOSE in parsed:
        ours = guarded("compose", {}, check_compose, parsed[COMPOSE][0])
        for name, service in ours.items():
            words = service["command"]
            uses.append((f"compose {name}", words[0], set(service.get("environment", {})), words[1:]))
        if options.compose_schema:
            try:
                import jsonschema
            except ImportError:
                skip("compose: the specification's schema", "python3-jsonschema is not installed")
            else:
                schema = json.loads(options.compose_schema.read_text())
                errors = jsonschema.Draft7Validator(schema).iter_errors(parsed[COMPOSE][0])
                check("compose: the specification's schema", [f"{'.'.join(map(str, e.path))}: {e.message}" for e in errors])
    if parsed:
        uses += guarded("kubernetes", [], check_kubernetes, parsed)
    uses += guarded("systemd", [], check_systemd)
    check_secrets(uses)
    check_help(uses, (options.programs or ROOT / ".build/release").resolve(), must=options.programs is not None)
    dashboard = guarded("dashboard", {}, check_grafana, parsed)
    guarded("prometheus", None, check_prometheus, parsed)
    guarded("metrics", None, check_metrics, parsed, dashboard, options.metrics)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
