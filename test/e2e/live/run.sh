#!/usr/bin/env bash
# The live lane: Postgres, Debezium, Kafka and an S3 server for real, a workload on them, and an engine that is killed at
# every named step, stopped and joined by a second one meanwhile. In the end the lake must be the database, row for row.
# Needs npm, Maven Central, PyPI and Go, a JDK 17 or newer, Maven, Python 3, and Postgres (installed when root runs this).
# Arguments go to vitest. A run that fails keeps its directory, with all logs, and names it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh kafka connect postgres
bash test/e2e/s3/install.sh
bash test/e2e/readers/install.sh
npm run --silent build

. test/e2e/rig/lane.sh
open_lane live
start_servers
run_tests test/e2e/live/vitest.config.ts "$@"
