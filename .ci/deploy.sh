#!/bin/bash
# Compares deploy/ and docker-compose.yml with the programs and with the metrics of a running system; called by
# .ci/smoke.sh with URL (the gateway), DATA (its data folder) and BIN (the programs).
set -euo pipefail
cd "$(dirname "$0")/.."
addresses=$(sed -n 's/.*serving metrics and probes address=//p' "$DATA"/logs/scheduler.log "$DATA"/logs/worker-*.log | sort -u)
urls=()
for address in $addresses; do
    curl -sS -f -o /dev/null "http://$address/metrics" && urls+=("http://$address/metrics")
done
for url in "${urls[@]}" "$URL/metrics"; do
    curl -sS -f "$url" | promtool check metrics || { echo "promtool reports invalid metrics at $url" >&2; exit 1; }
done
deploy/check.py --programs "$BIN" --metrics "${urls[@]}" "$URL/metrics"
"$BIN"/carillon-gateway --openapi | python3 -c '
import json, sys
document = json.load(sys.stdin)
try:
    from openapi_spec_validator import validate
except ImportError:
    print("openapi.json is JSON; openapi_spec_validator is not installed, so the document is not validated")
else:
    validate(document)
    print("openapi.json is valid OpenAPI", document["openapi"])
'
