# SPDX-License-Identifier: Apache-2.0
"""The Coq kernel of coq-jupyter, made to bear proofs of real size: `python -m aetool.proofs.notebook_kernel`.

The kernel waits 30 s for an answer of Coq and looks for its end with patterns that take quadratic time, so
a goal of some ten thousand characters kills it. Here the patterns are linear and the patience is longer;
everything else is the kernel as it is.
"""

from __future__ import annotations

import functools
import re

ANSWER_SECONDS = 600


def main() -> None:
    """Run the kernel; the arguments are those of any Jupyter kernel (`-f connection-file`)."""
    from coq_jupyter import coqtop
    from coq_jupyter.kernel import CoqKernel
    from ipykernel.kernelapp import IPKernelApp

    # `[^>]*` for `.*?`: where the end has not arrived yet, no position is tried twice
    coqtop.REPLY_PATTERNS[:] = [
        re.compile(rf"<{tag}\b[^>]*>.+?</{tag}>", re.DOTALL) for tag in ("feedback", "value", "message")
    ]
    coqtop.pexpect.spawn = functools.partial(coqtop.pexpect.spawn, timeout=ANSWER_SECONDS)
    IPKernelApp.launch_instance(kernel_class=CoqKernel)


if __name__ == "__main__":
    main()
