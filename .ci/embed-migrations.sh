#!/bin/sh
# Writes migrations/*.sql to a Swift file of the scheduler: .ci/embed-migrations.sh
# With --check nothing is written, and the script fails if the Swift file differs from the folder.
set -eu
cd "$(dirname "$0")/.."
target=Sources/CarillonPostgres/Migrations+Embedded.swift
made=$(mktemp)
trap 'rm -f "$made"' EXIT

{
    echo '// swift-format-ignore-file'
    echo '// Made of migrations/*.sql by .ci/embed-migrations.sh: change those, then run it again.'
    echo
    echo 'extension Migration {'
    echo '    /// All migrations, oldest first.'
    echo '    package static let all: [Migration] = ['
    for up in migrations/*.up.sql; do
        base=$(basename "$up" .up.sql)
        version=$(echo "${base%%_*}" | sed 's/^0*//')
        echo '        Migration('
        echo "            version: $version,"
        echo "            name: \"${base#*_}\","
        echo '            up: ##"""'
        cat "$up"
        echo '"""##,'
        echo '            down: ##"""'
        cat "migrations/$base.down.sql"
        echo '"""##'
        echo '        ),'
    done
    echo '    ]'
    echo '}'
} >"$made"

if [ "${1:-}" = --check ]; then
    cmp -s "$made" "$target" || { echo "$target is out of date with migrations/; run .ci/embed-migrations.sh" >&2; exit 1; }
else
    cp "$made" "$target"
    chmod 644 "$target"
fi
