# SPDX-License-Identifier: Apache-2.0
"""The command line: parse, call a workflow or a domain, print, return an exit code."""
