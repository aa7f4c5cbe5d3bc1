#!/usr/bin/env bash
# From an empty Postgres to rows in the lake, by our own commands alone: setup, connector, doctor, ingest; then each hop
# is broken, and doctor has to name it. Needs npm and Maven Central, a JDK 17 or newer, Maven, and Postgres (installed
# when root runs this). Arguments go to vitest. A run that fails keeps its directory, with all logs, and names it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh kafka connect postgres

. test/e2e/rig/lane.sh
open_lane connector
# What the connector's reference to a secret stands for; Postgres believes whoever comes from this machine.
export CDC_REPL_PASSWORD=canary-of-the-connector
start_servers
run_tests test/e2e/connector/vitest.config.ts "$@"
