#!python
"""The command `acfetch`: what is installed under that name, and `python -m acfetch`."""

import sys

from acfetch.cli import main

sys.exit(main())
