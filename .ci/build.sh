#!/bin/bash
# Builds and shows the progress on a terminal. If the build fails, the whole output is printed:
# .ci/build.sh [arguments of swift build] [-- products]
set -euo pipefail
cd "$(dirname "$0")/.."
command -v swift >/dev/null || { echo "swift is missing; install a Swift 6.3 toolchain (swift.org/install) and put it on the PATH" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
start=$SECONDS
arguments=() products=()
while [ $# -gt 0 ]; do
    [ "$1" != -- ] || { shift; products=("$@"); break; }
    arguments+=("$1")
    shift
done
# Skip swift build if the programs are newer than all of their sources.
stamp=
if [ ${#products[@]} -gt 0 ]; then
    stamp=.build/release/.built
    is_there=yes
    for product in "${products[@]}"; do [ -x ".build/release/$product" ] || is_there=no; done
    if [ $is_there = yes ] && [ -e $stamp ] && [ -z "$(find Sources migrations proto Package.swift -newer $stamp -print -quit)" ]; then
        echo "up to date; nothing to build"
        exit 0
    fi
fi
build() {
    [ ${#products[@]} -gt 0 ] || { swift build "${arguments[@]}"; return; }
    for product in "${products[@]}"; do swift build "${arguments[@]}" --product "$product" || return; done
}
echo "building (the first time takes some minutes)"
build >"$log" 2>&1 &
builder=$!
trap 'kill $builder 2>/dev/null; rm -f "$log"' INT TERM
shown=
while kill -0 $builder 2>/dev/null; do
    sleep 0.2
    line=$(tail -c 300 "$log" | tr '\r' '\n' | grep -oE '^\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
    if [ -n "$line" ] && [ "$line" != "$shown" ]; then
        if [ -t 1 ]; then
            printf '\r%s %d s ' "$line" $((SECONDS - start))
        elif [ $((SECONDS - start)) -ge "${next:-15}" ]; then
            echo "$line $((SECONDS - start)) s"
            next=$((SECONDS - start + 15))
        fi
        shown=$line
    fi
done
wait $builder && code=0 || code=$?
[ ! -t 1 ] || printf '\r\033[K'
if [ $code -ne 0 ]; then
    grep -E 'error:|warning:' "$log" | sort -u | head -n 40 >&2 || true
    tail -n 40 "$log" >&2
    echo "the build failed" >&2
    exit $code
fi
[ -z "$stamp" ] || touch "$stamp"
echo "built in $((SECONDS - start)) s"
