#!/bin/bash
# Runs the built tests, each target in a separate process, so that tests that wait for real sockets and processes do not
# starve each other: .ci/test.sh [filter]. The last line is the number of passed and failed tests.
# TEST_WITHOUT lists targets to leave out; TEST_SKIP is a regular expression of tests to leave out.
set -uo pipefail
cd "$(dirname "$0")/.."
filter=${1:-}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The bundle is run directly: `swift test` would load the package again for each target.
bundle=.build/debug/carillonPackageTests.xctest
[ -x $bundle ] || { echo "$bundle is missing; run make test" >&2; exit 1; }
for folder in Tests/*Tests; do
    target=$(basename "$folder")
    [[ " ${TEST_WITHOUT:-} " != *" $target "* ]] || continue
    start=$SECONDS
    # A target's name selects the whole target; any other filter is matched with the names of suites and tests.
    wanted="^$target\\."
    case "$target" in *"$filter"*) ;; *) wanted="$wanted.*($filter)" ;; esac
    # `timeout` kills the whole process group, including processes that the tests started.
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
    # The results of scenarios.
    grep -E '^scenario ' "$log" || true
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
