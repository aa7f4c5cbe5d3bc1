#!/usr/bin/env bash
# Installs the S3 server of the e2e lane, versitygw at a pinned version, built by Go into .rig/bin/ (git-ignored).
# A binary of that version is left alone, so a warm run costs nothing; from cold it takes about two minutes.
set -euo pipefail

VERSITYGW_VERSION=v1.8.0

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
bin="$root/.rig/bin"
stamp="$bin/.versitygw-version"

[ -x "$bin/versitygw" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$VERSITYGW_VERSION" ] && exit 0

if ! command -v go >/dev/null; then
  echo 'e2e s3: go is missing; install Go 1.24 or newer, e.g. apt-get install golang' >&2
  exit 3
fi
mkdir -p "$bin"
echo "e2e s3: building versitygw $VERSITYGW_VERSION (once)" >&2
GOBIN="$bin" go install -ldflags '-s -w' "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW_VERSION"
echo "$VERSITYGW_VERSION" >"$stamp"
