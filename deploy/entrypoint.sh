#!/bin/sh
# Sets ADVERTISE of a scheduler to the container's address if it is not set.
set -eu
if [ "${1:-}" = carillon-scheduler ] && [ -z "${ADVERTISE:-}" ] && [ -n "${LISTEN:-}" ]; then
    address=$(hostname -i)
    address=${address%% *}
    case $address in *:*) address="[$address]" ;; esac
    export ADVERTISE="$address:${LISTEN##*:}"
fi
exec "$@"
