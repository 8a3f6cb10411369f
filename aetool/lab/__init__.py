# SPDX-License-Identifier: Apache-2.0
"""The lab: hosts, however they come about, driven over SSH."""
