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

export RIG_STATE
RIG_STATE=$(mktemp -d -t alluvium-ops-XXXXXX)
. test/e2e/rig/rig.sh
mapfile -t ports < <(free_ports 3)
export METRICS_PORT=${ports[0]} PROMETHEUS_PORT=${ports[1]} POSTGRES_PORT=${ports[2]}

end_all() {
  local code=$?
  trap - EXIT INT TERM
  bash test/e2e/rig/prometheus.sh stop
  bash test/e2e/rig/postgres.sh stop
  if [ "$code" = 0 ]; then rm -rf "$RIG_STATE"; else echo "e2e ops: failed; all logs are in $RIG_STATE" >&2; fi
  exit "$code"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bash test/e2e/rig/postgres.sh start
bash test/e2e/rig/prometheus.sh start
TMPDIR=$RIG_STATE npx vitest run --config test/e2e/ops/vitest.config.ts "$@"
