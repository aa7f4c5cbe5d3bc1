#!/usr/bin/env bash
# One worker of Kafka Connect, distributed mode, with Debezium's connector for Postgres: connect.sh start|stop|kill
# What it knows lies in topics of the broker, so a worker that is started again goes on where the topics say it was.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"

settings="$RIG_STATE/connect.properties"

write_settings() {
  cat >"$settings" <<S
bootstrap.servers=127.0.0.1:$KAFKA_PORT
group.id=rig-connect
listeners=http://127.0.0.1:$CONNECT_PORT
rest.advertised.host.name=127.0.0.1
rest.advertised.port=$CONNECT_PORT
config.storage.topic=_connect-configs
config.storage.replication.factor=1
offset.storage.topic=_connect-offsets
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.topic=_connect-status
status.storage.replication.factor=1
status.storage.partitions=1
# What is sent within this time before a crash is sent again after it; the default of a minute would only take longer.
offset.flush.interval.ms=4000
session.timeout.ms=6000
heartbeat.interval.ms=2000
scheduled.rebalance.max.delay.ms=0
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
plugin.path=$RIG/connect-plugins
plugin.discovery=service_load
# So that a connector may name a secret and need not hold it.
config.providers=env
config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider
producer.max.request.size=33554432
producer.compression.type=lz4
connector.client.config.override.policy=All
S
}

start() {
  mkdir -p "$RIG_STATE"
  write_settings
  launch connect java "${JAVA_OPTIONS[@]}" -XX:TieredStopAtLevel=1 -Xms128m -Xmx512m -cp "$RIG/connect/*" \
    org.apache.kafka.connect.cli.ConnectDistributed "$settings"
  # It answers only once it has joined its group.
  await connect 90 curl -fsS -m 5 "http://127.0.0.1:$CONNECT_PORT/connectors"
}

case "${1:-}" in
  start) start ;;
  stop) halt connect ;;
  kill) halt connect KILL ;;
  *) fail 'usage: connect.sh start|stop|kill' ;;
esac
