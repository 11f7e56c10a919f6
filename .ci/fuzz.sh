#!/bin/bash
# Runs each fuzzer of Tests/Fuzzing, and keeps the corpus in .build-fuzz/corpus:
#   .ci/fuzz.sh MINUTES      for a number of minutes
#   .ci/fuzz.sh ROUNDS SEED  for a number of rounds from a seed; without a corpus every run is the same
# SwiftPM is not used: libFuzzer has its own `main`, and only the pure modules are needed.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=(-max_total_time=$((${1:-1} * 60))) what="for ${1:-1} min"
[ $# -lt 2 ] || { limit=("-runs=$1" "-seed=$2"); what="for $1 rounds from seed $2"; }
out=$PWD/.build-fuzz
mkdir -p "$out/modules/CCarillonProto" "$out/corpus"
include=$PWD/Sources/CCarillonProto/include
echo "module CCarillonProto { header \"$include/carillon.pb-c.h\" export * }" >"$out/modules/CCarillonProto/module.modulemap"
flags=(-O -g -wmo -parse-as-library -sanitize=fuzzer,address -package-name carillon -swift-version 6
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature NonisolatedNonsendingByDefault
    -I "$out/modules" -I "$out/modules/CCarillonProto" -I Sources/CProtobuf -I "$include")
clang -O1 -g -fsanitize=address -I "$include" -c Sources/CCarillonProto/carillon.pb-c.c -o "$out/proto.o"
for module in CarillonCron CarillonCore CarillonWire CarillonJSON; do
    echo "building $module"
    mapfile -t sources < <(find "Sources/$module" -name '*.swift' | sort)
    swiftc "${flags[@]}" -module-name "$module" -emit-module -emit-module-path "$out/modules/$module.swiftmodule" \
        -c -o "$out/$module.o" "${sources[@]}"
done
# Report a crash immediately; the backtrace of the runtime would wait for a terminal.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0
failed=0
for fuzzer in Wire JSON Body Cron; do
    swiftc "${flags[@]}" "Tests/Fuzzing/${fuzzer}Fuzz.swift" "$out"/Carillon*.o "$out/proto.o" -lprotobuf-c \
        -module-name "${fuzzer}Fuzz" -o "$out/$fuzzer" 2>"$out/$fuzzer.link" || { cat "$out/$fuzzer.link" >&2; exit 1; }
    mkdir -p "$out/corpus/$fuzzer"
    # The initial inputs, in addition to the corpus.
    seeds=()
    [ ! -d "Tests/Fuzzing/Seeds/$fuzzer" ] || seeds=("Tests/Fuzzing/Seeds/$fuzzer")
    echo "fuzzing $fuzzer $what"
    "$out/$fuzzer" "${limit[@]}" -timeout=5 -rss_limit_mb=1024 -max_len=4096 -print_final_stats=1 \
        -artifact_prefix="$out/$fuzzer-" "$out/corpus/$fuzzer" "${seeds[@]}" >"$out/$fuzzer.log" 2>&1 || failed=1
    grep -E 'stat::number_of_executed_units|stat::peak_rss_mb|ERROR|Fatal error|Test unit written' "$out/$fuzzer.log" ||
        tail -n 20 "$out/$fuzzer.log"
done
exit $failed
