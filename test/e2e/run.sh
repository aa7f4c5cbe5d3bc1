#!/usr/bin/env bash
# The e2e lane: the real command line on recorded and generated topics, its lake read by engines that others wrote.
# Needs npm, PyPI and Maven Central, a JDK 17 or newer, Maven and Python 3; installs the engines below .readers/.
# Arguments go to vitest, e.g. `test/e2e/run.sh recordings` or `test/e2e/run.sh -t 'inventory.customers'`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -d node_modules ] || npm ci
bash test/e2e/readers/install.sh
npm run --silent build
exec npx vitest run --config test/e2e/vitest.config.ts "$@"
