#!/bin/sh
# Installs the missing Debian packages for a purpose: .ci/packages.sh run|test|browser|bench|peers|ci
# Uses apt-get as root, or sudo if no password is needed. Otherwise the command to run is printed.
set -eu

run="libpq-dev libcurl4-openssl-dev libprotobuf-c-dev pkg-config postgresql tzdata"
test="$run faketime pgbouncer"
browser="$run chromium"
bench="$run nginx-light wrk"
peers="$bench python3-venv default-jdk-headless libquartz2-java libpostgresql-jdbc-java libhikaricp-java libslf4j-java"
ci="$test protobuf-c-compiler prometheus python3-yaml jq curl"
case "${1:-run}" in
    run) wanted=$run ;;
    test) wanted=$test ;;
    browser) wanted=$browser ;;
    bench) wanted=$bench ;;
    peers) wanted=$peers ;;
    ci) wanted=$ci ;;
    *) echo "usage: .ci/packages.sh run|test|browser|bench|peers|ci" >&2; exit 2 ;;
esac

has() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

command -v dpkg-query >/dev/null || {
    echo "this system is not Debian; install the equivalents of these packages: $wanted" >&2
    exit 0
}
missing=
for package in $wanted; do has "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=sudo
    else
        echo "packages are missing:$missing" >&2
        echo "run as root:  apt-get update && apt-get install --no-install-recommends -y$missing" >&2
        exit 1
    fi
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends -y -q "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        echo "apt-get install $* failed" >&2
        exit 1
    }
}
$as_root apt-get update -q >"$log" 2>&1 || { cat "$log" >&2; echo "apt-get update failed; continuing with the existing package lists" >&2; }
case "$missing" in
    *" postgresql"*)
        # By default Debian's package creates and starts a cluster on port 5432.
        if ! has postgresql-common; then
            install postgresql-common
            $as_root sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
        fi
        ;;
esac
# shellcheck disable=SC2086
install $missing
