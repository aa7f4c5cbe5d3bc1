#!/usr/bin/env bash
# One Prometheus on $PROMETHEUS_PORT that asks $METRICS_PORT every second as the job `alluvium`, with our alert rules; its data
# in $RIG_STATE/prometheus: prometheus.sh start|stop|wipe
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"

home="$RIG_STATE/prometheus"
rules=$(cd "$RIG_SCRIPTS/../../../deploy/prometheus" && pwd)/alerts.yml

start() {
  mkdir -p "$home"
  cat >"$home/prometheus.yml" <<S
global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["$rules"]
scrape_configs:
  - job_name: alluvium
    static_configs: [{ targets: ["127.0.0.1:$METRICS_PORT"] }]
S
  launch prometheus prometheus --config.file="$home/prometheus.yml" --storage.tsdb.path="$home/data" \
    --web.listen-address="127.0.0.1:$PROMETHEUS_PORT"
  await prometheus 60 curl -fsS -m 2 "http://127.0.0.1:$PROMETHEUS_PORT/-/ready"
}

case "${1:-}" in
  start) start ;;
  stop) halt prometheus ;;
  wipe)
    halt prometheus
    rm -rf "$home"
    ;;
  *) fail 'usage: prometheus.sh start|stop|wipe' ;;
esac
