# SPDX-License-Identifier: Apache-2.0
"""The sections of the report: each module turns one kind of result into prose, tables and figures."""
