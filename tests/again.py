"""Tells a race from a fault: the few tests that failed in a run are run ten times more each, alone (note 55).

    python tests/again.py    where a run of pytest has failed; exit code 0 when none of them failed again

Source: docs/decisions/0055-a-test-that-failed-once.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LAST_FAILED = Path(".pytest_cache", "v", "cache", "lastfailed")
MOST = 3
TIMES = 10


def main() -> int:
    """Run what failed again and return the exit code of the whole."""
    failed = sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.exists() else []
    if not 0 < len(failed) <= MOST or any("::" not in name for name in failed):  # without, a whole file that cannot be collected
        return 1
    print(f"\nAgain, alone, {TIMES} times: {', '.join(failed)}", flush=True)
    for _ in range(TIMES):
        if subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *failed], check=False).returncode:
            return 1
    print(f"\nRACE, to be mended before anything else: failed once in this run, then passed {TIMES} times: {', '.join(failed)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
