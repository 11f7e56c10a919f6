#!/bin/bash
# Runs the tests that are built already, each target in a process of its own, so that tests which must wait for real
# sockets and processes do not starve each other: .ci/test.sh [filter]. Its last line says how many passed and failed.
# TEST_WITHOUT names targets that are left out; tests that TEST_SKIP, a regular expression, matches are left out too.
set -uo pipefail
cd "$(dirname "$0")/.."
filter=${1:-}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The bundle is run directly: `swift test` would load the package anew for each target.
bundle=.build/debug/carillonPackageTests.xctest
[ -x $bundle ] || { echo "$bundle is missing; run make test" >&2; exit 1; }
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    [[ " ${TEST_WITHOUT:-} " != *" $target "* ]] || continue
    start=$SECONDS
    # The name of a target means all of it; anything else is looked for in the names of suites and tests.
    wanted="^$target\\."
    case "$target" in *"$filter"*) ;; *) wanted="$wanted.*($filter)" ;; esac
    # `timeout` ends the whole group: what the tests themselves started, too.
    NO_COLOR=1 timeout --signal=KILL "${TEST_TIMEOUT:-900}" \
        $bundle --testing-library swift-testing --filter "$wanted" ${TEST_SKIP:+--skip "$TEST_SKIP"} >"$log" 2>&1
    code=$?
    # 69: the filter matches no test of this target.
    [ $code -ne 69 ] || continue
    count=$(grep -oE 'Test run with [0-9]+ tests?' "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0)
    wrong=$(grep -E '^✘ Test [^ ].* failed after' "$log" | grep -vcE '^✘ Test run with ' || true)
    [ -z "$filter" ] || [ "$count" != 0 ] || [ $code -ne 0 ] || continue
    if [ $code -ne 0 ]; then
        [ "$wrong" -gt 0 ] || wrong=1
        grep -E '^✘|Fatal error|Crash' "$log" | head -n 60
        tail -n 40 "$log"
        echo "$target: FAILED (status $code)"
    fi
    # A crash ends the run before it counts its tests.
    [ "$count" -ge "$wrong" ] || count=$wrong
    passed=$((passed + count - wrong))
    failed=$((failed + wrong))
    echo "$target: $((count - wrong)) passed, $wrong failed, $((SECONDS - start)) s"
    # What a scenario came to.
    grep -E '^scenario ' "$log" || true
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
