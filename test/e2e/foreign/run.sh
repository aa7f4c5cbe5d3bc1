#!/usr/bin/env bash
# The lane of foreign writers: delta-rs and Spark write our tables on a real S3 server while `alluvium ingest` does.
# Needs what test/e2e/s3/run.sh needs, and javac. Arguments go to vitest, e.g. `test/e2e/foreign/run.sh -t 'Spark'`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/s3/install.sh
bash test/e2e/readers/install.sh
bash test/e2e/foreign/install.sh
npm run --silent build
exec npx vitest run --config test/e2e/foreign/vitest.config.ts "$@"
