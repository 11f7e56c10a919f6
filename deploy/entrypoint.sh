#!/bin/sh
# Lets a scheduler tell others the container's own address, unless ADVERTISE says another one.
set -eu
if [ "${1:-}" = carillon-scheduler ] && [ -z "${ADVERTISE:-}" ] && [ -n "${LISTEN:-}" ]; then
    address=$(hostname -i)
    address=${address%% *}
    case $address in *:*) address="[$address]" ;; esac
    export ADVERTISE="$address:${LISTEN##*:}"
fi
exec "$@"
