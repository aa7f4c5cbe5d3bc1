#!/usr/bin/env bash
# Measures with a real broker and an object store: freshness of the engine alone and behind Debezium, and how two processes
# share eight tables. Uses the servers of the e2e lane, which it starts for itself and ends.
# Needs npm, Maven Central, PyPI and Go, a JDK 17 or newer, Maven, and Postgres (installed when root runs this).
# Arguments: freshness, chain, scale-out; default all.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
bash test/e2e/rig/install.sh kafka connect postgres
bash test/e2e/s3/install.sh
bash bench/install.sh
npx tsc -p bench/tsconfig.json

. test/e2e/rig/lane.sh
open_lane bench-live
bash test/e2e/rig/kafka.sh start
node --enable-source-maps .bench/js/bench/live/run.js "$@"
