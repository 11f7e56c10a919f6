#!/bin/bash
# Plants a bug in the decisions, one after the other (or the one that CANARY names), and shows which seed of the simulation
# catches each: .ci/canaries.sh
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
CARILLON_CANARIES=${CANARY:-1} swift test --skip-build --filter CanaryTests >"$log" 2>&1 || { grep -E '^✘|^canary' "$log"; exit 1; }
grep -E '^canary' "$log" || { echo "no canary sang: the debug build has none" >&2; exit 1; }
