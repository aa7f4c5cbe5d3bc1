#!/usr/bin/env bash
# The S3 lane: the real command line and the S3 store against a real S3 server (versitygw, built by Go below .rig/).
# Needs what test/e2e/run.sh needs, and Go. Arguments go to vitest, e.g. `test/e2e/s3/run.sh -t 'killed'`.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
[ -d node_modules ] || npm ci
bash test/e2e/s3/install.sh
bash test/e2e/readers/install.sh
npm run --silent build
exec npx vitest run --config test/e2e/s3/vitest.config.ts "$@"
