#!/bin/sh
# Generates the C code of proto/carillon.proto: .ci/proto.sh
# With --check nothing is written, and the script fails if the committed code differs from the generated code.
set -eu
cd "$(dirname "$0")/.."
target=Sources/CCarillonProto
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
protoc-c --c_out="$made" -I proto proto/carillon.proto
if [ "${1:-}" = --check ]; then
    cmp -s "$made/carillon.pb-c.c" $target/carillon.pb-c.c && cmp -s "$made/carillon.pb-c.h" $target/include/carillon.pb-c.h || {
        echo "$target is out of date with proto/carillon.proto; run .ci/proto.sh" >&2
        exit 1
    }
else
    cp "$made/carillon.pb-c.c" $target/carillon.pb-c.c
    cp "$made/carillon.pb-c.h" $target/include/carillon.pb-c.h
fi
