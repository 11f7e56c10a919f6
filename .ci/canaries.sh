#!/bin/sh
# Plants a bug in the decisions, one after the other, and shows which seed of the simulation catches each.
set -eu
cd "$(dirname "$0")/.."
swift build --build-tests --scratch-path .build-canary -Xswiftc -DCANARY
swift test --skip-build --scratch-path .build-canary -Xswiftc -DCANARY --filter CanaryTests
