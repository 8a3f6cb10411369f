# SPDX-License-Identifier: Apache-2.0
"""`python -m aetool` is the same as `aetool`."""

from aetool.cli.main import run

run()
