# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry point of `python -m backend`."""

import os
import sys

from .service.cli import main

if __name__ == "__main__":
    # numpy's own threads would fight with ONNX Runtime's, which spin for a while after a run; must
    # be set before numpy is imported
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main(sys.argv[1:]))
