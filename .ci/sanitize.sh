#!/bin/bash
# Runs unit tests under a sanitizer, each target in a separate process: .ci/sanitize.sh thread|address [filter]
# TEST_WITHOUT lists targets to leave out.
set -uo pipefail
cd "$(dirname "$0")/.."
sanitizer=$1 filter=${2:-}
folder=.build-asan
suppressions=$(mktemp) log=$(mktemp)
trap 'rm -f "$suppressions" "$log"' EXIT
# Swift's own key paths copy an optional onto itself.
echo interceptor_via_fun:swift_getAtKeyPath >"$suppressions"
export NO_COLOR=1 SWIFT_BACKTRACE=enable=no TSAN_OPTIONS=halt_on_error=0
# A few seeds of the simulation are sufficient: the first ones execute most of its instructions.
export CARILLON_SIM_RUNS=${CARILLON_SIM_RUNS:-60}
export ASAN_OPTIONS=detect_leaks=0:suppressions=$suppressions
[ "$sanitizer" != thread ] || folder=.build-tsan
.ci/build.sh --build-tests --sanitize="$sanitizer" --scratch-path $folder || exit
preload=
if [ "$sanitizer" = thread ]; then
    # The sanitizer does not intercept the futex calls of Swift's Mutex.
    preload=$PWD/$folder/tsan-mutex.so
    clang -shared -fPIC -O1 -Wall -Werror -o "$preload" .ci/tsan-mutex.c -ldl || exit
fi
failed=0
# EndToEndTests are left out: they test other programs, which would run without the sanitizer.
for tests in Tests/*Tests; do
    target=$(basename "$tests")
    [[ " EndToEndTests ${TEST_WITHOUT:-} " != *" $target "* ]] || continue
    start=$SECONDS
    env ${preload:+LD_PRELOAD="$preload"} timeout --signal=KILL "${TEST_TIMEOUT:-900}" \
        $folder/debug/carillonPackageTests.xctest --testing-library swift-testing \
        --filter "^$target\..*$filter" >"$log" 2>&1
    code=$?
    # 69: the filter matches no test.
    [ $code -ne 69 ] || continue
    [ $code -eq 0 ] || { failed=1; grep -E '^✘|SUMMARY|ERROR:|WARNING: Thread' "$log" | head -n 40; tail -n 60 "$log"; }
    echo "$target: status $code, $(grep -oE '[0-9]+ tests?.* (passed|failed)' "$log" | tail -n 1), $((SECONDS - start)) s"
done
exit $failed
