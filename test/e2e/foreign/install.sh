#!/usr/bin/env bash
# Installs what lets Spark write to S3, and makes a log store for it, below .readers/foreign/ (git-ignored).
# Needs what test/e2e/readers/install.sh needs, run before, and a JDK with javac.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readers=$(cd "$here/../../.." && pwd)/.readers
target="$readers/foreign"
stamp=$(cat "$here/pom.xml" "$here/ConditionalPutLogStore.java" | sha256sum | cut -d' ' -f1)

[ "$(cat "$target/.stamp" 2>/dev/null)" = "$stamp" ] && exit 0

if ! command -v javac >/dev/null; then
  echo 'e2e foreign: javac is missing; install a JDK 17 or newer, e.g. apt-get install openjdk-17-jdk-headless' >&2
  exit 3
fi
echo 'e2e foreign: installing what Spark lacks for S3 (once)' >&2
rm -rf "$target"
mkdir -p "$target/classes"
mvn -q -B -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
  -DoutputDirectory="$target" -DincludeScope=runtime >&2
spark=$("$readers/spark/bin/python" -c 'import os, pyspark; print(os.path.dirname(pyspark.__file__))')
javac --release 17 -nowarn -cp "$spark/jars/*:$readers/jars/*:$target/*" -d "$target/classes" "$here/ConditionalPutLogStore.java"
jar --create --file "$target/conditional-put-log-store.jar" -C "$target/classes" .
rm -rf "$target/classes"
echo "$stamp" >"$target/.stamp"
