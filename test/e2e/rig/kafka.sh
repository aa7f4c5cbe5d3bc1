#!/usr/bin/env bash
# One Kafka broker in KRaft mode: kafka.sh start|stop|kill|wipe
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"

settings="$RIG_STATE/kafka.properties"

write_settings() {
  cat >"$settings" <<S
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$KAFKA_CONTROLLER_PORT
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$RIG_STATE/kafka-data
num.partitions=1
default.replication.factor=1
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
# So that a test need not wait long until a member that was killed is taken for dead.
group.min.session.timeout.ms=1000
message.max.bytes=33554432
replica.fetch.max.bytes=33554432
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=134217728
# Recorded records are older than any retention.
log.retention.ms=-1
log.message.timestamp.before.max.ms=9223372036854775807
log.message.timestamp.after.max.ms=9223372036854775807
S
  # More listeners, say; the last word on a setting counts.
  [ -z "${KAFKA_MORE_SETTINGS:-}" ] || cat "$KAFKA_MORE_SETTINGS" >>"$settings"
}

start() {
  mkdir -p "$RIG_STATE"
  write_settings
  if [ ! -f "$RIG_STATE/kafka-data/meta.properties" ]; then
    java "${JAVA_OPTIONS[@]}" -Xmx128m -Drig.log.level=WARN -cp "$RIG/kafka/*" kafka.tools.StorageTool format \
      --standalone --cluster-id "$(head -c16 /dev/urandom | base64 | tr '+/' 'Aa' | tr -d '=')" --config "$settings" >&2
  fi
  launch kafka java "${JAVA_OPTIONS[@]}" -Xms128m -Xmx512m -cp "$RIG/kafka/*" kafka.Kafka "$settings"
  await kafka 60 grep -q 'Kafka Server started' "$RIG_STATE/kafka.log"
}

case "${1:-}" in
  start) start ;;
  stop) halt kafka ;;
  kill) halt kafka KILL ;;
  wipe)
    halt kafka KILL
    rm -rf "$RIG_STATE/kafka-data"
    ;;
  *) fail 'usage: kafka.sh start|stop|kill|wipe' ;;
esac
