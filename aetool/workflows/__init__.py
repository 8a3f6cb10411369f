# SPDX-License-Identifier: Apache-2.0
"""Pipelines across the four domains, as plain functions."""
