#!/usr/bin/env bash
# The package as npm packs it, in an empty folder: installed, started, imported, its types checked.
# Needs npm alone: a registry, or its cache, for some 80 packages (60 MB, half a minute).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
npm run --silent build
exec npx vitest run --config test/e2e/package/vitest.config.ts "$@"
