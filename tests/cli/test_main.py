# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: help, errors, exit codes, the cost of starting."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

AETOOL = Path(sys.executable).with_name("aetool")
COMMANDS = ("doctor", "proofs", "lab", "campaign", "report", "reproduce")


def aetool(*args: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([AETOOL, *args], capture_output=True, text=True, cwd=cwd, timeout=120)


def test_help_names_every_command_and_the_exit_codes() -> None:
    result = aetool("--help")
    assert result.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in result.stdout
    assert "Exit codes: 0 success" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = aetool(command, "--help")
    assert result.returncode == 0, result.stderr
    assert "Example: aetool " in result.stdout


def test_an_unknown_command_is_refused_with_2() -> None:
    result = aetool("prove")
    assert result.returncode == 2
    assert "No such command 'prove'" in result.stderr


def test_starting_does_not_import_what_only_some_commands_need() -> None:
    code = (
        "import sys, aetool.cli.main, aetool.cli.proofs\n"
        "heavy = ('pandas', 'paramiko', 'matplotlib', 'jinja2', 'scipy', 'rich')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_doctor_reports_every_tool_as_json() -> None:
    import json

    result = aetool("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(result.stdout)}
    assert checks["coqc"]["ok"]
    assert result.returncode == (0 if all(c["ok"] for c in checks.values()) else 8)


def test_doctor_names_the_package_of_a_missing_tool(tmp_path: Path) -> None:
    import os

    env = {**os.environ, "PATH": str(tmp_path)}
    result = subprocess.run([AETOOL, "doctor"], capture_output=True, text=True, env=env, timeout=60)
    assert result.returncode == 8
    assert "apt-get install rt-tests" in result.stdout
