#!python
"""The command `acrun`: what is installed under that name, and `python -m acrun`."""

import sys

from acrun.cli import main

sys.exit(main())
