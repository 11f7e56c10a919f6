#!/bin/sh
# Checks the dependencies between modules: ldd shows which program links which library, and nm shows which program contains
# which module: .ci/linkage.sh [directory of the programs]
set -eu
cd "$(dirname "$0")/.."
bin=${1:-.build/release}
symbols=$(mktemp)
trap 'rm -f "$symbols"' EXIT
failed=0

# report PROGRAM has|lacks WHAT FOUND
report() {
    if [ "$4" = "$2" ]; then
        echo "ok    $1 $2 $3"
    else
        echo "WRONG $1 $4 $3"
        failed=1
    fi
}

# library PROGRAM has|lacks LIBRARY
library() {
    if ldd "$bin/$1" | grep -q "$3"; then found=has; else found=lacks; fi
    report "$1" "$2" "$3" $found
}

# modules PROGRAM has|lacks MODULE...: symbols of types start with the length and the name of their module.
# CarillonClient has no types: it extends CarillonRPC and depends on CarillonJSON.
modules() {
    program=$1 wanted=$2
    shift 2
    nm "$bin/$program" >"$symbols"
    for module in "$@"; do
        if grep -q "\$s${#module}$module" "$symbols"; then found=has; else found=lacks; fi
        report "$program" "$wanted" "$module" $found
    done
}

library carillon-scheduler has libpq
library carillon-scheduler lacks libcurl
library carillon-worker has libcurl
library carillon-worker lacks libpq
for program in carillon carillon-gateway; do
    library $program lacks libpq
    library $program lacks libcurl
done
for program in carillon carillon-gateway carillon-scheduler carillon-worker; do
    library $program has libprotobuf-c
done

modules carillon-scheduler has CarillonRuntime CarillonHTTP CarillonPostgres
modules carillon-scheduler lacks CarillonJSON CarillonCurl CarillonWorker CarillonGateway
modules carillon-worker has CarillonRuntime CarillonHTTP CarillonCurl
modules carillon-worker lacks CarillonJSON CarillonPostgres CarillonScheduler CarillonGateway
modules carillon-gateway has CarillonRuntime CarillonHTTP CarillonJSON
modules carillon-gateway lacks CarillonPostgres CarillonCurl CarillonScheduler CarillonWorker
modules carillon has CarillonRuntime CarillonJSON
modules carillon lacks CarillonHTTP CarillonPostgres CarillonCurl CarillonScheduler CarillonWorker
exit $failed
