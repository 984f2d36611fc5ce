#!python
"""The command `acstage1`: what is installed under that name, and how acrun starts stage1.

acrun runs `python -I -S …/acstage1/__main__.py`, without the time that `site` takes. That leaves only the standard library on
sys.path, so the two packages are put there by their place: beside each other when installed, in `spec/` in a checkout.
"""

from __future__ import annotations

import gc
import os
import sys

# What is imported stays: collecting among it would cost milliseconds and find nothing. `run` turns it on again.
gc.disable()

if sys.flags.no_site:
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[1:1] = [root] if os.path.isdir(os.path.join(root, "acspec")) else [root, os.path.join(root, "spec")]

from acstage1.cli import main  # noqa: E402 - the path comes first

code = main()
sys.stderr.flush()
# What is left is taking the interpreter apart, object by object: the kernel does it faster.
os._exit(code)
