#!/bin/bash
# Builds .build-simulation/simulation: the simulation's tests as one optimised program with coverage counters and
# injectable faults. The program runs six times as many seeds a second as the debug build: .ci/simulation-program.sh
# SwiftPM is not used, because with these flags it would rebuild all other modules and dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=$root/.build-simulation
folders=(Sources/CarillonCron Sources/CarillonCore Sources/CarillonWire Tests/TestSupport)
if [ -x "$out/simulation" ] && [ -z "$(find "${folders[@]}" Tests/SimulationTests Sources/C[A-Z]* .ci/simulation-program.sh -type f \
    ! -name '*.txt' ! -name '*.md' -newer "$out/simulation" -print -quit)" ]; then
    exit 0
fi
start=$SECONDS
echo "building the simulation"
rm -rf "$out"
mkdir -p "$out/modules/CCarillonProto"
touch "$out/started"
include=$root/Sources/CCarillonProto/include
echo "module CCarillonProto { header \"$include/carillon.pb-c.h\" export * }" >"$out/modules/CCarillonProto/module.modulemap"
# The language settings are those of Package.swift.
flags=(-O -g -wmo -num-threads "$(nproc)" -parse-as-library -package-name carillon -swift-version 6 -DFAULT_INJECTION
    -profile-generate -profile-coverage-mapping
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature NonisolatedNonsendingByDefault
    -I "$out/modules" -I "$out/modules/CCarillonProto" -I "$root/Sources/CProtobuf" -I "$root/Sources/CLinux" -I "$include")
compile() { # MODULE SOURCES...: swiftc writes one object a source into the working folder
    local module=$1
    shift
    mkdir -p "$out/$module"
    (cd "$out/$module" && swiftc "${flags[@]}" -module-name "$module" -emit-module-path "$out/modules/$module.swiftmodule" -c "$@")
}
for folder in "${folders[@]}"; do
    mapfile -t sources < <(find "$root/$folder" -name '*.swift' | sort)
    compile "$(basename "$folder")" "${sources[@]}"
done
mkdir "$out/SimulationTests"
cat >"$out/SimulationTests/Runner.swift" <<'S'
import Testing

@main struct Runner {
    static func main() async { await Testing.__swiftPMEntryPoint() as Never }
}
S
flags+=(-load-plugin-library "$(dirname "$(readlink -f "$(command -v swiftc)")")/../lib/swift/host/plugins/libTestingMacros.so")
compile SimulationTests "$root"/Tests/SimulationTests/*.swift "$out/SimulationTests/Runner.swift"
clang -O1 -I "$include" -c Sources/CCarillonProto/carillon.pb-c.c -o "$out/proto.o"
# The program is moved into place, so that an interrupted link leaves none, with the time at which the sources were read.
swiftc -profile-generate "$out"/*/*.o "$out/proto.o" -lprotobuf-c -o "$out/linked"
touch -r "$out/started" "$out/linked"
mv "$out/linked" "$out/simulation"
echo "built in $((SECONDS - start)) s"
