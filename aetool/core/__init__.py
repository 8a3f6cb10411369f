# SPDX-License-Identifier: Apache-2.0
"""What every domain needs and none owns: errors, configuration, processes, SSH, the journal, progress."""
