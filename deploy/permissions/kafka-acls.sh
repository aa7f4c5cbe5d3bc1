#!/usr/bin/env bash
# What alluvium's login may do on Kafka, and no more: read its topics, be a member of its group, and of the groups with
# which it reads ranges of the past (the group's name with `-range-` behind it).
#   BOOTSTRAP=kafka:9092 PRINCIPAL=User:alluvium TOPICS=shop.public. GROUP=alluvium ./kafka-acls.sh --command-config admin.properties
set -euo pipefail
: "${BOOTSTRAP:?}" "${PRINCIPAL:?}" "${TOPICS:?a prefix}" "${GROUP:?}"

acl() { kafka-acls.sh --bootstrap-server "$BOOTSTRAP" "${options[@]}" --add --allow-principal "$PRINCIPAL" "$@"; }
options=("$@")

acl --operation Read --operation Describe --resource-pattern-type prefixed --topic "$TOPICS"
acl --operation Read --operation Describe --resource-pattern-type prefixed --group "$GROUP"
