#!/usr/bin/env python3
"""Attacks a running gateway with pages in a real Chromium: nothing may be changed, and nothing read.

    Tests/Browser/run.py [--programs .build/release]

Needs chromium (`.ci/packages.sh browser`) and what `carillon up` needs. Pages of another site, of another port of localhost (the same
site) and under a name that was rebound to the gateway run the attacks of attacks.js. Two that must succeed show that the test notices:
behind a relay that hides the page from the gateway, and under a name that ALLOWED_HOSTS has.
"""
import argparse
import json
import pathlib
import queue
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from relay import Page, Relay  # noqa: E402
from system import Carillon, Chromium, Failure  # noqa: E402

CREATES = [
    "text form", "fetch of a blob", "fetch of a text", "fetch of JSON", "beacon of a blob", "beacon of a text", "sandboxed fetch",
]
PAUSES = [
    "form", "multipart form", "fetch", "fetch of a form", "fetch with credentials", "beacon", "beacon of JSON", "ping of a link",
    "policy report", "sandboxed form",
]
EDITS = ["fetch PUT", "fetch DELETE"]
# The browser sends a preflight request (CORS) before these, and the response does not allow them.
PREFLIGHTED = {"fetch of JSON", "beacon of JSON", "fetch PUT", "fetch DELETE"}
# The page is not notified when these have been sent.
SILENT = {
    "beacon", "beacon of a blob", "beacon of a text", "beacon of JSON", "ping of a link", "policy report", "sandboxed form",
}
# These have neither a body nor a content type, like `curl -X POST`. Only the browser's headers reveal the page.
BARE = {"fetch", "fetch with credentials", "beacon"}
READERS = [
    "fetch", "opaque fetch", "request", "picture", "script", "module", "style", "video", "object", "frame", "events", "socket",
]
PATHS = [
    "/api/v1/jobs", "/api/v1/executions", "/api/v1/cluster", "/health", "/metrics", "/openapi.json", "/docs", "/",
    "/api/v1/cron/preview?schedule=@daily",
]
PROBES = ["/livez", "/readyz"]
REPORT_SECONDS = 60

failures = 0


def check(what, problems):
    global failures
    problems = sorted(problems)
    failures += bool(problems)
    print(f"FAIL  {what}: {'; '.join(problems)}" if problems else f"ok    {what}", flush=True)


class Attack:
    """The changes that a page tries, each with a separate job."""

    def __init__(self, system, name, ways):
        self.system, self.name, self.changes, self.paths = system, name, [], {}
        for way in ways:
            job = self.job(way)
            if way in CREATES:
                self.changes.append({"how": way, "path": "/api/v1/jobs", "body": json.dumps(job)})
                continue
            made = system.ask("POST", "/api/v1/jobs", job)
            self.paths[way] = f"/api/v1/jobs/{made['job_id']}" + ("" if way in EDITS else "/pause")
            self.changes.append({"how": way, "path": self.paths[way], "body": '{"active":false}'})

    def job(self, way):
        return {"name": f"{self.name}: {way}", "schedule": "@yearly", "api_url": "http://127.0.0.1:1/"}

    def arrived(self, way, requests):
        if path := self.paths.get(way):
            return any(request["path"] == path for request in requests)
        return any(self.job(way)["name"].encode() in request["body"] for request in requests)

    def done(self):
        """The ways that changed something."""
        jobs = {job["name"]: job for job in self.system.ask("GET", "/api/v1/jobs?limit=1000")}
        changed = set()
        for change in self.changes:
            way = change["how"]
            job = jobs.get(self.job(way)["name"])
            if way in CREATES:
                is_changed = job is not None
            elif way == "fetch DELETE":
                is_changed = job is None
            else:
                is_changed = not job["active"]
            if is_changed:
                changed.add(way)
        return changed


def show(page, host, relay, attack):
    """Shows the page under that name, and waits for its report and its last request."""
    browser = Chromium(f"http://{host}:{page.port}/attack.html")
    errors = ""
    try:
        report = page.reports.get(timeout=REPORT_SECONDS)
        silent = SILENT & {change["how"] for change in attack.changes}
        relay.wait_for(lambda requests: all(attack.arrived(way, requests) for way in silent), REPORT_SECONDS)
        missing = [way for way in silent if not attack.arrived(way, relay.requests)]
        check(f"{attack.name}: every request was sent", [f"{way} was not" for way in missing])
        return report
    except queue.Empty:
        errors = browser.stop()
        raise Failure(f"{attack.name}: the page has not reported within {REPORT_SECONDS} s; chromium says:\n{errors[-2000:]}") from None
    finally:
        if not errors:
            browser.stop()


def cross_origin(system, host, target, relay, name):
    """A page of another origin. Returns the ways that changed something, and what was read."""
    ways = CREATES + PAUSES + EDITS
    attack = Attack(system, name, ways)
    gateway = f"http://{target}:{relay.port}"
    page = Page(report_policy_to=gateway + attack.paths["policy report"])
    page.plan = {
        "gateway": gateway,
        "changes": attack.changes,
        "reads": [{"how": how, "url": gateway + path} for how in READERS for path in PATHS + PROBES]
        + [
            {"how": "opaque fetch", "url": f"http://127.0.0.1:{port}{path}"}
            for port in system.metrics_ports() for path in ["/metrics", "/readyz", "/"]
        ],
    }
    report = show(page, host, relay, attack)
    page.stop()
    return attack.done(), {read for read, text in report["reads"].items() if text is not None}, report


def rebound(system, host, relay, name):
    """A page whose origin is, for the browser, that of the gateway. Returns the ways that changed something, and all reads."""
    attack = Attack(system, name, ["fetch", "fetch of JSON", "beacon"] + EDITS)
    page = Page(rebound=relay)
    page.plan = {
        "gateway": f"http://{host}:{page.port}",
        "changes": attack.changes,
        "reads": [{"how": "own fetch", "url": path} for path in PATHS + PROBES],
    }
    report = show(page, host, relay, attack)
    page.stop()
    return attack.done(), {way.split(" ")[-1]: text for way, text in report["reads"].items()}


def answers(relay):
    """The distinct answers to requests that change something."""
    return sorted({r["status"] for r in relay.requests if r["method"] not in ("GET", "HEAD", "OPTIONS")})


def run(system):
    relay = Relay(system.gateway)
    every_way = set(CREATES + PAUSES + EDITS)
    if len(system.metrics_ports()) < 2:
        raise Failure("scheduler and worker have not logged where their metrics are")
    for host, target, name in [("evil.test", "127.0.0.1", "another site"), ("localhost", "localhost", "another port of localhost")]:
        relay.requests.clear()
        changed, read, _ = cross_origin(system, host, target, relay, name)
        check(f"{name}: nothing is changed ({len(every_way)} ways, answers {answers(relay)})", changed)
        check(f"{name}: nothing is read ({len(READERS)} ways, {len(PATHS + PROBES)} paths, and the probe servers)", read)

    name = "a name that was rebound"
    changed, reads = rebound(system, "rebound.test", relay, name)
    check(f"{name}: nothing is changed", changed)
    check(f"{name}: nothing is read", [path for path in PATHS if reads[path] is not None])
    more = [path for path in PROBES if json.loads(reads[path] or "{}") != {"status": "UP"}]
    check(f"{name}: the probes say only whether they are UP", [f"{path} says {reads[path]}" for path in more])

    name = "a browser that says nothing of the page"
    silent = Relay(system.gateway, hides="page")
    changed, _, _ = cross_origin(system, "evil.test", "127.0.0.1", silent, name)
    check(f"{name}: nothing with a body or a form's type is done (answers {answers(silent)})", changed - BARE)

    name = "injected fault: the gateway does not see the page's origin"
    weak = Relay(system.gateway, hides="all")
    changed, read, report = cross_origin(system, "evil.test", "127.0.0.1", weak, name)
    unnoticed = every_way - PREFLIGHTED - changed
    check(f"{name}: {len(changed)} changes are noticed", [f"{way} ({report['changes'][way]})" for way in unnoticed])
    noticed = [way for way in read if way.startswith("opaque fetch") and f":{weak.port}/" in way]
    check(f"{name}: {len(noticed)} reads are noticed", [] if noticed else ["none is"])

    name = "a name in ALLOWED_HOSTS"
    allowed = Relay(system.another_gateway(ALLOWED_HOSTS="allowed.test"))
    changed, reads = rebound(system, "allowed.test", allowed, name)
    check(f"{name}: its own pages work", {"fetch", "fetch of JSON", "beacon", *EDITS} - changed)
    check(f"{name}: everything is read", [path for path in PATHS + PROBES if reads[path] is None])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--programs", default=".build/release", help="the folder of the programs")
    options = parser.parse_args()
    system = Carillon(pathlib.Path(options.programs).resolve())
    try:
        system.up()
        run(system)
    except Failure as failure:
        print(f"FAIL  {failure}", file=sys.stderr)
        return 1
    finally:
        system.stop()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
