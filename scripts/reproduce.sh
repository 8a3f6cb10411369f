#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets everything up, then checks the proofs, runs the quick campaign and renders the report.
# Usage: scripts/reproduce.sh [ARGUMENTS OF 'aetool reproduce']
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
"$here/scripts/setup.sh"
cd "$here"
# The lab makes network namespaces, which takes root.
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  exec sudo -n "$here/.venv/bin/aetool" reproduce "$@"
fi
exec "$here/.venv/bin/aetool" reproduce "$@"
