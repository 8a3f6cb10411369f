#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets everything up, then runs the linters, the type checker and the tests.
# Usage: scripts/test.sh [--full] [ARGUMENTS OF pytest]
#   --full   also the tests that take long (an emulated Arm server, mutation of every layer)
set -euo pipefail
cd "$(dirname "$0")/.."
full=()
if [ "${1:-}" = --full ]; then
  full=(--full)
  shift
  scripts/setup.sh --full
else
  scripts/setup.sh --test
fi
bin=.venv/bin
run() {
  printf '== %s\n' "$*" >&2
  "$@"
}
run "$bin/ruff" check .
run "$bin/ruff" format --check .
run "$bin/mypy"
run "$bin/lint-imports" --no-cache
mapfile -t shell < <(git ls-files '*.sh' .ci/run)
run shellcheck "${shell[@]}"
run "$bin/pytest" "${full[@]}" "$@"
