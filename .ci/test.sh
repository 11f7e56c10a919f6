#!/bin/bash
# Runs the tests that are built already, each target in a process of its own, so that tests which must wait for real
# sockets and processes do not starve each other: .ci/test.sh [filter]. Its last line says how many passed and failed.
set -uo pipefail
cd "$(dirname "$0")/.."
filter=${1:-}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    start=$SECONDS
    # The name of a target means all of it; anything else is looked for in the names of suites and tests.
    wanted="^$target\\."
    case "$target" in *"$filter"*) ;; *) wanted="$wanted.*$filter" ;; esac
    # `timeout` ends the whole group: what the tests themselves started, too.
    timeout --signal=KILL "${TEST_TIMEOUT:-600}" \
        swift test --skip-build --filter "$wanted" >"$log" 2>&1
    code=$?
    count=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0)
    wrong=$(grep -cE '^✘ Test [^ ].* failed after' "$log" || true)
    [ -z "$filter" ] || [ "$count" != 0 ] || continue
    if [ $code -ne 0 ]; then
        [ "$wrong" -gt 0 ] || wrong=1
        grep -E '^✘|Fatal error|Crash' "$log" | head -n 60
        tail -n 40 "$log"
        echo "$target: FAILED (status $code)"
    fi
    [ "$wrong" -le "$count" ] || count=$wrong
    passed=$((passed + count - wrong))
    failed=$((failed + wrong))
    echo "$target: $((count - wrong)) passed, $wrong failed, $((SECONDS - start)) s"
    # What a scenario came to.
    grep -E '^scenario ' "$log" || true
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
