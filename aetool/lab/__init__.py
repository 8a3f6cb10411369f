# SPDX-License-Identifier: Apache-2.0
"""The lab: hosts, however they come about, driven over SSH."""

from __future__ import annotations

from aetool.lab.provider import Lab, Status, open_lab

__all__ = ["Lab", "Status", "open_lab"]
