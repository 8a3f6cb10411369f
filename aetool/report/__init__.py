# SPDX-License-Identifier: Apache-2.0
"""From a run directory to a report; no contact with hosts."""
