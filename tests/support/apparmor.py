"""Profiles of AppArmor for the tests on a kernel that has it, loaded for as long as a test module runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

# The first lets an app do everything but read one file, and so would the second, which is only told of it. The third has no rule at
# all, and the fourth none about signals.
PROFILES = """\
profile appc-test {
  file, capability, signal, unix,
  deny /secret r,
}
profile appc-lenient flags=(complain) {
  file, capability, signal, unix,
  deny /secret r,
}
profile appc-nothing {
}
profile appc-deaf {
  file,
}
"""
CONFINED, FREE = "appc-test (enforce)\n", "unconfined\n"
LOOK = ["/bin/cat", "/proc/self/attr/current"]


@contextmanager
def loaded_profiles() -> Iterator[None]:
    """Load the profiles, and take them away in the end. Source: apparmor_parser(8)."""
    _parse("--replace")
    yield
    _parse("--remove")


def _parse(verb: str) -> None:
    subprocess.run(["apparmor_parser", verb, "--skip-cache", "--config-file", "/dev/null"], input=PROFILES, text=True, check=True)
