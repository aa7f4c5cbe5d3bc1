#!/usr/bin/env bash
# What watches the engine, for real: a Prometheus with our rules scrapes a run, every expression of dashboards and rules is
# asked of it, and the status page is driven in a Chromium. Needs npm, Prometheus, Chromium and Postgres (installed when root
# runs this). Arguments go to vitest. Pictures of the page are kept in $PICTURES when that is set.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../../.."
[ -d node_modules ] || npm ci --ignore-scripts
bash test/e2e/rig/install.sh prometheus chromium postgres
promtool test rules deploy/prometheus/alerts.test.yml
promtool check config --syntax-only deploy/prometheus/prometheus.yml
npm run --silent build

. test/e2e/rig/lane.sh
open_lane ops
bash test/e2e/rig/postgres.sh start
bash test/e2e/rig/prometheus.sh start
run_tests test/e2e/ops/vitest.config.ts "$@"
