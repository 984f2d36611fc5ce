"""Fuzz for some time: `python -m tests.fuzz.run [--seconds N] [--number N] [TARGET…]`, all targets when none is named.

With atheris coverage guides the search; without it inputs are changed at random. What goes wrong is printed as Python bytes, to be
put into a test of its own, and kept in the directory of `--found`. The exit code is then 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

MEMORY_MIB = 1536  # an xz dictionary of the largest size that is allowed, several times


def main() -> int:
    """Fuzz the targets named on the command line, one process after another."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="of those in tests/fuzz/targets.py")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--number", type=int, default=1, help="begins the sequence of changes")
    parser.add_argument("--found", type=Path, default=Path("."), help="a directory for inputs that went wrong")
    parser.add_argument("--child", choices=("coverage", "random"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child == "coverage":  # which has to see our modules being imported
        return run_coverage(options.targets[0], options)
    from tests.fuzz.targets import TARGETS

    names = options.targets or list(TARGETS)
    for name in names:
        if name not in TARGETS:
            parser.error(f"there is no target {name}, but {', '.join(TARGETS)}")
    if options.child == "random":
        return run_random(names[0], options)
    kind = "coverage" if importlib.util.find_spec("atheris") else "random"
    print(f"fuzzing {len(names)} targets for {options.seconds} s each: {kind}")
    options.found.mkdir(parents=True, exist_ok=True)
    failed = [name for name in names if run_target(kind, name, options)]
    print(f"failed: {', '.join(failed)}" if failed else "nothing went wrong")
    return 1 if failed else 0


def run_target(kind: str, name: str, options: argparse.Namespace) -> bool:
    """Fuzz one target in a process of its own, and return whether something went wrong."""
    words = [f"--child={kind}", f"--seconds={options.seconds}", f"--number={options.number}", f"--found={options.found}", name]
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as place:  # atheris ends without cleaning up
        result = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.run", *words],
            env={**os.environ, "TMPDIR": place},
            capture_output=True,
            text=True,
            errors="replace",
        )
    lines = (result.stdout + result.stderr).splitlines()
    if result.returncode == 0:
        print(f"{name}: {next((line for line in reversed(lines) if line.startswith(('Done', 'done'))), 'done')}", flush=True)
        return False
    print(f"{name}: went wrong, exit {result.returncode}", *lines[-60:], sep="\n", flush=True)
    return True


def run_random(name: str, options: argparse.Namespace) -> int:
    """Fuzz with changed seeds until the time is up; the memory of the process is limited."""
    from tests.fuzz.mutate import inputs
    from tests.fuzz.targets import TARGETS, attempt

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MIB << 20, MEMORY_MIB << 20))
    end = time.monotonic() + options.seconds
    count = accepted = 0
    for data in inputs(TARGETS[name], options.number):
        try:
            start = time.monotonic()
            accepted += attempt(TARGETS[name], data)
        except BaseException:
            traceback.print_exc()
            Path(options.found, f"{name}-{count}").write_bytes(data)
            print(f"input: {data!r}")
            return 1
        if time.monotonic() - start > 10:
            print(f"took {time.monotonic() - start:.0f} s: {data!r}")
            return 1
        count += 1
        if time.monotonic() > end:
            break
    print(f"done {count} runs, {accepted} accepted, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB at most")
    return 0


def run_coverage(name: str, options: argparse.Namespace) -> int:
    """Fuzz with atheris, which never returns: its exit code is that of this process."""
    import atheris

    with atheris.instrument_imports(include=["acspec", "acfetch"]):
        from tests.fuzz.targets import TARGETS, attempt

    def once(data: bytes) -> None:
        try:
            attempt(TARGETS[name], data)
        except BaseException:
            print(f"input: {data!r}", file=sys.stderr)
            raise

    corpus = Path(tempfile.mkdtemp(prefix="fuzz-corpus-"))
    for number, seed in enumerate(TARGETS[name].seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    words = corpus.parent / f"{corpus.name}.words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word[:60]) + '"\n' for word in TARGETS[name].words))
    arguments = [
        sys.argv[0],
        f"-max_total_time={options.seconds}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-seed={options.number}",
        f"-artifact_prefix={options.found}{os.sep}{name}-",
        f"-dict={words}",
        "-timeout=20",
        "-max_len=65536",
        str(corpus),
    ]
    atheris.Setup(arguments, once)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
