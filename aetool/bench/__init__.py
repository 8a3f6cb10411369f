# SPDX-License-Identifier: Apache-2.0
"""The benchmark suites and the campaigns that run them."""
