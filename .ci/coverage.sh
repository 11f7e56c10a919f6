#!/bin/bash
# Runs the simulation from seed 1 on, and fails if lines of the core were never reached, except the lines in
# Tests/SimulationTests/unreached.txt: .ci/coverage.sh [seeds]
set -euo pipefail
cd "$(dirname "$0")/.."
folder=.build-simulation
tests=$folder/simulation
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
LLVM_PROFILE_FILE=$out/%p.profraw CARILLON_SIM_COVERAGE=1 CARILLON_SIM_RUNS=${1:-2000} .ci/simulate.sh
tools=$(dirname "$(readlink -f "$(command -v swift)")")
"$tools/llvm-profdata" merge -sparse "$out"/*.profraw -o "$out/profile"
decisions=Sources/CarillonCore/Decisions
sources=()
for name in $decisions/{Dispatcher,RequestMachine,WorkerEngine}*.swift \
    $decisions/{Backlog,CatchUp,ChangeQueue,ClusterClock,CommitLog,CreditShare,EditSearch,ExecutionTable,JobRecord,JobTable,LeaderTable,Leadership,LeaseKeeper,Materializer,OpenExecution,PendingBatch,ReadyQueue,RecentTokens,Recovery,ReportInbox,RequestReply,SlotLists,StagedChange,WorkerPool,WorkerRoster}.swift; do
    # Failed invariants must never be reached.
    [[ $name == *+Invariants.swift ]] || sources+=("$name")
done
"$tools/llvm-cov" export -format=lcov "$tests" -instr-profile="$out/profile" "${sources[@]}" >$folder/lines
awk -v known=Tests/SimulationTests/unreached.txt -v folder="$decisions/" '
    BEGIN {
        while ((getline line < known) > 0) if (line !~ /^(#|$)/) expected[line]++
        FS = "[:,]"
    }
    /^SF:/ {
        file = substr($0, 4); name = file; sub(/.*\//, "", name); count = 0
        while ((getline line < file) > 0) {
            sub(/^ +/, "", line)
            text[name, ++count] = line
            present[name ": " line] = 1
        }
        close(file)
    }
    /^DA:/ {
        lines++
        if ($3 > 0) { reached++; next }
        source = text[name, $2]
        if (source ~ /^[])}(,{ ]*$/ || source ~ /^\/\// || source ~ /^case .*:$/ || source == "break") next
        if (unreached[name ": " source]++ < expected[name ": " source]) next
        printf "%s%s:%d was never reached: %s\n", folder, name, $2, source
        failed = 1
    }
    END {
        for (line in expected) if (expected[line] > 0 && !(line in present)) {
            printf "%s lists a line that does not exist: %s\n", known, line
            failed = 1
        }
        printf "%d of %d lines of the core were reached\n", reached, lines
        exit failed
    }' $folder/lines
