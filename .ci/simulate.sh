#!/bin/bash
# Runs the simulation with the seeds given in the environment (see Tests/SimulationTests/SimulationTests.swift).
set -euo pipefail
cd "$(dirname "$0")/.."
for name in CARILLON_SIM_SEED CARILLON_SIM_TRACE CARILLON_SIM_OPTIONS CARILLON_SIM_SHRINK; do [ -n "${!name:-}" ] || unset "$name"; done
.ci/simulation-program.sh
# The coverage counters are written only for .ci/coverage.sh.
export LLVM_PROFILE_FILE=${LLVM_PROFILE_FILE:-/dev/null}
# Deterministic hashing makes a seed repeat exactly. `make test` uses random hashing.
export SWIFT_DETERMINISTIC_HASHING=1
exec .build-simulation/simulation --testing-library swift-testing --filter '(SimulationTests|SeveralLeadersTests)/'
