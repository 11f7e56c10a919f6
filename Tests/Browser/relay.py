"""HTTP servers that the browser talks to: the relay before the gateway, and the server of a hostile page."""
import http.server
import json
import pathlib
import queue
import socket
import threading

HERE = pathlib.Path(__file__).resolve().parent
PROTECTIONS = {
    "cross-origin-resource-policy", "content-security-policy", "x-frame-options", "x-content-type-options",
}


def forward(port, method, path, headers, body):
    """Sends one request as it is, and returns the whole answer as (status, headers, body)."""
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers if name.lower() != "connection"]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join(lines + ["Connection: close", "", ""]).encode("latin-1") + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, content = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    pairs = [tuple(field.split(": ", 1)) for field in fields]
    return int(first.split(" ")[1]), pairs, content


class Server:
    """A threaded HTTP server on a free port of 127.0.0.1 that gives every request to `answer`."""

    def __init__(self):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, headers, content = owner.answer(self.command, self.path, self.headers.items(), body)
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_any

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A browser that goes away is no error of the server."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Relay(Server):
    """Passes requests to the gateway unchanged and remembers them.

    `hides="page"` removes what the browser says of the page, as a browser that says nothing would. `hides="all"` is the
    planted fault: the gateway sees neither the page nor what a body claims to be, and the answers lose their protection.
    """

    def __init__(self, gateway, hides=None):
        self.gateway = gateway
        self.hides = hides
        self.requests = []
        self.changed = threading.Condition()
        super().__init__()

    def answer(self, method, path, headers, body):
        sent = list(headers)
        if self.hides:
            sent = [(n, v) for n, v in sent if n.lower() not in ("origin", "referer") and not n.lower().startswith("sec-")]
        if self.hides == "all":
            sent, body = disguised(sent, path, body)
        status, fields, content = forward(self.gateway, method, path, sent, body)
        if self.hides == "all":
            fields = [field for field in fields if field[0].lower() not in PROTECTIONS]
        with self.changed:
            self.requests.append({"method": method, "path": path, "body": body, "status": status, "headers": dict(headers)})
            self.changed.notify_all()
        return status, fields, content

    def wait_for(self, is_there, seconds):
        """Whether the requests so far satisfy `is_there` within that time."""
        with self.changed:
            return self.changed.wait_for(lambda: is_there(self.requests), seconds)


def disguised(headers, path, body):
    kept = [(n, v) for n, v in headers if n.lower() not in ("host", "content-type", "content-length")]
    kept.append(("Host", "127.0.0.1"))
    # A pause has no body: the gateway would refuse the content type of the browser's body.
    if path.endswith("/pause"):
        body = b""
    if body:
        kept.append(("Content-Type", "application/json"))
    kept.append(("Content-Length", str(len(body))))
    return kept, body


class Page(Server):
    """Serves the hostile page and takes its report. What else it is asked for goes to `rebound`, where one is given:
    to the browser the page and the gateway then have the same origin, as after DNS rebinding."""

    def __init__(self, rebound=None, report_policy_to=None):
        self.rebound = rebound
        self.policy = report_policy_to
        self.plan = {}
        self.reports = queue.Queue()
        super().__init__()

    def answer(self, method, path, headers, body):
        if path == "/attack.html":
            fields = [("Content-Type", "text/html")]
            if self.policy:
                policy = f"img-src 'none'; report-uri {self.policy}"
                fields.append(("Content-Security-Policy-Report-Only", policy))
            return 200, fields, b"<!doctype html><body><script src=/attacks.js></script>"
        if path == "/attacks.js":
            return 200, [("Content-Type", "text/javascript")], (HERE / "attacks.js").read_bytes()
        if path == "/plan.json":
            return 200, [("Content-Type", "application/json")], json.dumps(self.plan).encode()
        if path == "/report":
            self.reports.put(json.loads(body))
            return 204, [], b""
        if self.rebound:
            return self.rebound.answer(method, path, headers, body)
        return 200, [("Content-Type", "text/plain")], b""
