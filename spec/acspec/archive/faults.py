"""The exceptions that the modules of this package raise while they look at single bytes and entries.

They know neither the file nor the entry; `image` adds both and makes a FormatError of them.
"""

from __future__ import annotations


class Fault(ValueError):
    """An archive breaks a rule of the format or a limit; the text says which, lower-case, without full stop."""


class StreamFault(Fault):
    """A fault of the file as a whole, whichever entry is being read when it is found."""
