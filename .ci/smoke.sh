#!/bin/bash
# Runs `make run` like a new user, in a separate data folder on free ports. A real HTTP server counts the calls of a job:
# .ci/smoke.sh [USER]. With a USER the system runs as that user, from a copy of the programs.
set -euo pipefail
cd "$(dirname "$0")/.."
user=${1:-}
folder=$(mktemp -d /tmp/carillon-smoke-XXXXXX)
chmod 755 "$folder"
target_pid= up_pid=
cleanup() {
    [ -z "$up_pid" ] || kill -TERM "$up_pid" 2>/dev/null || true
    [ -z "$target_pid" ] || kill "$target_pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap cleanup EXIT
fail() {
    echo "smoke: $*" >&2
    tail -n 30 "$folder"/*.log "$folder"/data/logs/*.log 2>/dev/null >&2 || true
    exit 1
}
wait_for() { # SECONDS WHAT COMMAND...
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "$what did not happen in time"
        sleep 0.1
    done
}

# The target: counts the calls of each Idempotency-Key, and prints its port.
python3 - "$folder/calls" >"$folder/target.log" 2>&1 <<'P' &
import http.server, sys, threading
calls = open(sys.argv[1], "a", buffering=1)
lock = threading.Lock()
class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        with lock:
            calls.write(self.headers["Idempotency-Key"] + " " + self.headers["X-Carillon-Scheduled-Time"] + " " + body + "\n")
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
print(server.server_address[1], flush=True)
server.serve_forever()
P
target_pid=$!
wait_for 10 "the target's start" test -s "$folder/target.log"
target=http://127.0.0.1:$(cat "$folder/target.log")/hook

if [ -n "$user" ]; then
    mkdir "$folder/bin"
    cp .build/release/carillon .build/release/carillon-scheduler .build/release/carillon-worker .build/release/carillon-gateway "$folder/bin/"
    chown -R "$user" "$folder"
    bin=$folder/bin
    setsid runuser -u "$user" -- sh -c "cd $folder && exec $bin/carillon up --data-dir $folder/data --gateway 127.0.0.1:0 --rpc 127.0.0.1:0" >"$folder/up.log" 2>&1 &
else
    bin=.build/release
    setsid make --no-print-directory run ARGUMENTS="--data-dir $folder/data --gateway 127.0.0.1:0 --rpc 127.0.0.1:0" >"$folder/up.log" 2>&1 &
fi
up_pid=$!
wait_for 900 "ready" grep -q '^ready http' "$folder/up.log"
url=$(sed -n 's/^ready //p' "$folder/up.log")
# The log must not contain the password; the owner of the data folder can print it.
print_url=("$bin/carillon" up --print-database-url --data-dir "$folder/data")
[ -z "$user" ] || print_url=(runuser -u "$user" -- "${print_url[@]}")
database=$("${print_url[@]}")
! grep -rqF "$(cat "$folder/data/database-password")" "$folder/up.log" "$folder/data/logs" || fail "a log has the password"
echo "smoke: $url"

job=$(curl -sS -f -X POST "$url/api/v1/jobs" -H 'Content-Type: application/json' -d "{\"schedule\":\"* * * * * *\",\"api_url\":\"$target\"}")
id=$(echo "$job" | jq -r .job_id)
wait_for 20 "the fifth call" sh -c "[ \$(wc -l <$folder/calls) -ge 5 ]"
wait_for 10 "the fifth success" sh -c "[ \$(curl -sS '$url/api/v1/executions/$id?status=SUCCESS' | jq length) -ge 5 ]"
[ "$(cut -d' ' -f1 "$folder/calls" | sort | uniq -d | wc -l)" = 0 ] || fail "an execution was called twice"
curl -sS -f "$url/health" | jq -e '.status == "UP" and .scheduler_running and .worker_pool_active' >/dev/null || fail "/health is not UP"
curl -sS -f -X DELETE "$url/api/v1/jobs/$id"
rows=$(psql -XAtq "$database" -c "select count(*) - count(distinct scheduled_time) from job_executions where job_id = '$id'")
[ "$rows" = 0 ] || fail "$rows due times have two rows"
missing=$(psql -XAtq "$database" -c "select extract(epoch from max(scheduled_time) - min(scheduled_time))::int + 1 - count(*) from job_executions where job_id = '$id'")
[ "$missing" = 0 ] || fail "$missing due times have no row"
echo "smoke: $(wc -l <"$folder/calls") calls, one row each"

[ -z "${SMOKE_HOOK:-}" ] || URL=$url DATA=$folder/data BIN=$bin bash -c "$SMOKE_HOOK"

# Ctrl-C must end all processes.
pkill -INT -g "$up_pid"
wait_for 30 "the end after Ctrl-C" sh -c "! kill -0 $up_pid"
wait "$up_pid" 2>/dev/null && code=0 || code=$?
up_pid=
# make reports an interrupted recipe; `carillon up` itself exits with 0.
case $code in 0 | 2 | 130) ;; *) fail "the end after Ctrl-C has status $code" ;; esac
! pgrep -f "$folder/data" >/dev/null || fail "processes were left behind: $(pgrep -af "$folder/data")"
echo "smoke: passed"
