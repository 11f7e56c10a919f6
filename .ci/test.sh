#!/bin/bash
# Runs the tests that are built already, each target in a process of its own: .ci/test.sh [filter]. The end-to-end tests run
# beside the others. The last line says how many passed and failed.
# TEST_WITHOUT names targets that are left out; tests that TEST_SKIP, a regular expression, matches are left out too.
set -uo pipefail
cd "$(dirname "$0")/.."
filter=${1:-}
# The bundle is run directly: `swift test` would load the package again for each target.
bundle=.build/debug/carillonPackageTests.xctest
[ -x $bundle ] || { echo "$bundle is missing; run make test" >&2; exit 1; }
logs=$(mktemp -d)
# `timeout` passes the signal on to its process group: the test process and the processes that the tests started.
stop() { cat "$logs"/*.pid 2>/dev/null | xargs -r kill 2>/dev/null; rm -rf "$logs"; }
trap stop EXIT
trap 'exit 130' INT TERM

# Runs one target: run_target TARGET [PREFIX...]. Prints the failures and a summary; adds "passed failed" to $logs/counts.
run_target() {
    local target=$1 start=$SECONDS log=$logs/$1 wanted code count wrong
    shift
    # The name of a target selects all of its tests; anything else is looked for in the names of suites and tests.
    wanted="^$target\\."
    case "$target" in *"$filter"*) ;; *) wanted="$wanted.*($filter)" ;; esac
    NO_COLOR=1 timeout --signal=KILL "${TEST_TIMEOUT:-900}" "$@" \
        $bundle --testing-library swift-testing --filter "$wanted" ${TEST_SKIP:+--skip "$TEST_SKIP"} >"$log" 2>&1 &
    echo $! >"$log.pid"
    wait $!
    code=$?
    rm -f "$log.pid"
    # 69: the filter matches no test of this target.
    [ $code -ne 69 ] || return 0
    count=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0)
    wrong=$(grep -E '^✘ Test [^ ].* failed after' "$log" | grep -vcE '^✘ Test run with ' || true)
    [ -z "$filter" ] || [ "$count" != 0 ] || [ $code -ne 0 ] || return 0
    if [ $code -ne 0 ]; then
        [ "$wrong" -gt 0 ] || wrong=1
        grep -E '^✘|Fatal error|Crash' "$log" | head -n 60
        tail -n 40 "$log"
        echo "$target: FAILED (status $code)"
    fi
    # A crash ends the run before it counts its tests.
    [ "$count" -ge "$wrong" ] || count=$wrong
    echo "$((count - wrong)) $wrong" >>"$logs/counts"
    echo "$target: $((count - wrong)) passed, $wrong failed, $((SECONDS - start)) s"
    # The results of the scenarios.
    grep -E '^scenario ' "$log" || true
}

is_wanted() { [[ " ${TEST_WITHOUT:-} " != *" $1 "* ]]; }

touch "$logs/counts"
# These tests depend on limits of the database's answers, so nothing else runs at the same time.
if is_wanted CarillonPostgresTests; then run_target CarillonPostgresTests; fi
if is_wanted EndToEndTests; then run_target EndToEndTests >"$logs/end-to-end" & fi
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    case $target in CarillonPostgresTests | EndToEndTests) continue ;; esac
    # Tests that only compute leave the processors to the others.
    case $target in CarillonCoreTests | CarillonCronTests | SimulationTests) priority=(nice -n 10) ;; *) priority=() ;; esac
    if is_wanted "$target"; then run_target "$target" "${priority[@]}"; fi
done
wait
[ ! -e "$logs/end-to-end" ] || cat "$logs/end-to-end"
awk '{ passed += $1; failed += $2 } END { print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 || passed == 0 }' \
    "$logs/counts"
