#!python
"""The command `actool`: what is installed under that name, and `python -m actool`."""

import sys

from actool.cli import main

sys.exit(main())
