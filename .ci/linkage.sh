#!/bin/sh
# Proves with ldd that the arrows between the rooms hold: .ci/linkage.sh [directory of the programs]
set -eu
cd "$(dirname "$0")/.."
bin=${1:-.build/release}
failed=0

# expect PROGRAM has|lacks LIBRARY
expect() {
    if ldd "$bin/$1" | grep -q "$3"; then found=has; else found=lacks; fi
    if [ $found = "$2" ]; then
        echo "ok    $1 $2 $3"
    else
        echo "WRONG $1 $found $3"
        failed=1
    fi
}

expect carillon-scheduler has libpq
expect carillon-scheduler lacks libcurl
expect carillon-worker has libcurl
expect carillon-worker lacks libpq
for program in carillon carillon-gateway; do
    expect $program lacks libpq
    expect $program lacks libcurl
done
for program in carillon carillon-gateway carillon-scheduler carillon-worker; do
    expect $program has libprotobuf-c
done
exit $failed
