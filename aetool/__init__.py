# SPDX-License-Identifier: Apache-2.0
"""aetool: check the SeKVM proofs, run the benchmarks, and report what was seen."""

__version__ = "0.1.0"
