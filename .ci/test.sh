#!/bin/bash
# Runs the tests that are built already, all or those of a filter: .ci/test.sh [filter]
set -euo pipefail
cd "$(dirname "$0")/.."
arguments=()
[ $# -eq 0 ] || arguments=(--filter "$1")
exec swift test --skip-build "${arguments[@]}"
