#!/bin/bash
# Injects each fault into the core, one after the other, and shows which seed of the simulation catches it.
#   .ci/faults.sh            tries the recorded seed of each fault, and searches only if that seed does not catch it
#   .ci/faults.sh --record   searches the lowest seed of each fault, and writes Tests/SimulationTests/fault-seeds.txt
# FAULT=name injects only that fault.
set -euo pipefail
cd "$(dirname "$0")/.."
table=Tests/SimulationTests/fault-seeds.txt
case "${1:-}" in
    --record) record=yes ;;
    "") record= ;;
    *) echo "usage: .ci/faults.sh [--record]" >&2; exit 2 ;;
esac
.ci/simulation-program.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export CARILLON_FAULTS=${FAULT:-1} LLVM_PROFILE_FILE=/dev/null SWIFT_DETERMINISTIC_HASHING=1
[ -n "$record" ] || export CARILLON_FAULT_SEEDS=$table
.build-simulation/simulation --testing-library swift-testing --filter InjectedFaultTests >"$log" 2>&1 && code=0 || code=$?
grep -E '^fault' "$log" || true
[ $code -ne 0 ] || grep -q '^fault' "$log" || { echo "unknown fault ${FAULT:-}; the names are in Sources/CarillonCore/Decisions/InjectedFault.swift" >&2; exit 1; }
if [ -n "$record" ]; then
    found=$(sed -nE 's/^fault ([A-Za-z]+): caught by seed ([0-9]+),.*/\1 \2/p' "$log")
    {
        echo "# The seed of the simulation that catches each injected fault first, written by .ci/faults.sh --record."
        # With FAULT the rows of the other faults stay.
        { echo "$found"; [ -z "${FAULT:-}" ] || grep -v '^#' "$table"; } | awk 'NF && !seen[$1]++' | LC_ALL=C sort
    } >"$table.new"
    mv "$table.new" "$table"
    echo "$(grep -vc '^#' "$table") seeds are recorded in $table"
elif grep -q '^fault.*no longer\|^fault.*no recorded' "$log"; then
    echo "some recorded seeds are out of date; run .ci/faults.sh --record and commit $table"
fi
if [ $code -ne 0 ]; then
    grep -E '^✘' "$log" >&2 || tail -n 20 "$log" >&2
    exit 1
fi
