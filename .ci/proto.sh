#!/bin/sh
# Makes the C code of proto/carillon.proto anew: .ci/proto.sh
# With --check it changes nothing and fails when the committed code is not what protoc-c makes.
set -eu
cd "$(dirname "$0")/.."
target=Sources/CCarillonProto
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
protoc-c --c_out="$made" -I proto proto/carillon.proto
if [ "${1:-}" = --check ]; then
    cmp -s "$made/carillon.pb-c.c" $target/carillon.pb-c.c && cmp -s "$made/carillon.pb-c.h" $target/include/carillon.pb-c.h || {
        echo "$target does not agree with proto/carillon.proto: run .ci/proto.sh" >&2
        exit 1
    }
else
    cp "$made/carillon.pb-c.c" $target/carillon.pb-c.c
    cp "$made/carillon.pb-c.h" $target/include/carillon.pb-c.h
fi
