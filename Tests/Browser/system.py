"""A running Carillon for the browser tests, and the browser."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

START_SECONDS = 120


class Failure(Exception):
    pass


def wait_for_line(path, pattern, process, seconds=START_SECONDS):
    """The first match of `pattern` in a growing file; the process that writes it must stay alive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = path.read_text() if path.exists() else ""
        if match := re.search(pattern, text, re.MULTILINE):
            return match
        if process.poll() is not None:
            raise Failure(f"the process ended with status {process.returncode}:\n{text[-2000:]}")
        time.sleep(0.05)
    raise Failure(f"{pattern} is not in {path} after {seconds} s:\n{text[-2000:]}")


class Carillon:
    """`carillon up` in a separate folder on free ports."""

    def __init__(self, programs):
        self.programs = pathlib.Path(programs)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carillon-browser-"))
        self.folder.chmod(0o755)
        self.children = []
        self.environment = {
            name: value for name, value in os.environ.items()
            if name not in ("PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES")
        }

    def up(self):
        """Returns when all programs answer."""
        data = str(self.folder / "data")
        up, log = self.start("up", "carillon", ["up", "--data-dir", data, "--gateway", "127.0.0.1:0", "--rpc", "127.0.0.1:0"])
        self.gateway = int(wait_for_line(log, r"^ready http://127\.0\.0\.1:(\d+)$", up)[1])
        self.schedulers = wait_for_line(log, r"^schedulers (\S+)", up)[1]

    def start(self, name, program, arguments, **variables):
        log = self.folder / f"{name}.log"
        child = subprocess.Popen(
            [self.programs / program, *arguments], stdin=subprocess.DEVNULL, stdout=log.open("w"),
            stderr=subprocess.STDOUT, env=self.environment | variables, start_new_session=True,
        )
        self.children.append(child)
        return child, log

    def another_gateway(self, **variables):
        """The port of one more gateway of the same system, with other settings."""
        arguments = ["--listen", "127.0.0.1:0", "--schedulers", self.schedulers]
        gateway, log = self.start("gateway-2", "carillon-gateway", arguments, **variables)
        return int(wait_for_line(log, r"listening address=127\.0\.0\.1:(\d+)", gateway)[1])

    def metrics_ports(self):
        """The ports of the probe servers of scheduler and worker."""
        ports = set()
        for log in (self.folder / "data" / "logs").glob("*.log"):
            ports |= set(re.findall(r"serving metrics and probes.* address=127\.0\.0\.1:(\d+)", log.read_text()))
        return sorted(int(port) for port in ports)

    def ask(self, method, path, body=None):
        """A request as a program makes it: without Origin."""
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway, timeout=20)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status >= 300:
            raise Failure(f"{method} {path}: {answer.status} {text}")
        return json.loads(text) if text else None

    def stop(self):
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                try:
                    child.wait(30)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Chromium:
    """A headless browser that shows one page; names under .test lead to this machine."""

    def __init__(self, url):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            raise Failure("chromium is not installed: .ci/packages.sh browser")
        self.profile = tempfile.mkdtemp(prefix="carillon-chromium-")
        self.process = subprocess.Popen(
            [
                program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", f"--user-data-dir={self.profile}",
                "--host-resolver-rules=MAP *.test 127.0.0.1", "--remote-debugging-port=0", url,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
        )

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        errors = self.process.communicate()[1].decode(errors="replace")
        shutil.rmtree(self.profile, ignore_errors=True)
        return errors
