#!/usr/bin/env bash
# The Kafka lane: the Kafka source and the real command line against a real broker, installed below .rig/.
# Needs npm and Maven Central, a JDK 17 or newer and Maven. Arguments go to vitest, e.g. `test/e2e/kafka/run.sh -t 'killed'`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh kafka
npm run --silent build
exec npx vitest run --config test/e2e/kafka/vitest.config.ts "$@"
