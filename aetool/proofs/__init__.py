# SPDX-License-Identifier: Apache-2.0
"""The proof driver: manifest, scheduler, audit, C to Coq."""
