"""Measure the programs beside their peers: starts, rates and memory. `make bench` starts it.

The programs are installed from a wheel into a virtual environment of their own, everything lies in one temporary directory that is
removed at the end, and nothing is judged: docs/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from clock import Command, Sample, run_once
from installed import Programs, quiet_environment
from network import measure_fetches
from places import check_space, enter_namespace, mount_places, unmount_places
from pods import Pods, measure_pods
from rates import Rates, measure_rates
from rendering import Rendering, measure_rendering
from report import Table, show_lines, show_load, show_machine
from starts import measure_starts
from trees import make_large, make_links, make_mixed, make_small

MIXED_FILES, MIXED_BYTES = 6_800, 200_000_000
LARGE_BYTES = 1 << 30
FETCHED_BYTES = 500_000_000
SMALL_FILES = 100_000
LINKS_EACH = 1_500
BASE_FILES, BASE_BYTES = 10_000, 160_000_000
POD_APPS, POD_ROUNDS = 50, 5


def main() -> None:
    """Measure what the command line asks for."""
    options = _parse_options()
    enter_namespace()
    most = LARGE_BYTES if options.large else FETCHED_BYTES if options.network or options.only == "network" else MIXED_BYTES
    needed = 7 * most + (SMALL_FILES * 4096 * 4 if options.small else 0)
    check_space(options.place, 2 * needed)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # through `finally`, as Ctrl-C goes
    work = Path(tempfile.mkdtemp(prefix="appc-bench-", dir=options.place))
    places: dict[str, Path] = {}
    try:
        places = mount_places(work, needed)
        _measure(options, work, places)
    finally:
        unmount_places(places)
        shutil.rmtree(work)


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run.py", description="Measure the programs beside their peers.")
    parser.add_argument("--only", choices=("starts", "pods", "rates", "trees", "network"), help="leave the others out")
    parser.add_argument("--network", action="store_true", help=f"also an image of {FETCHED_BYTES / 1e6:.0f} MB over HTTPS")
    parser.add_argument("--large", action="store_true", help="also the memory that an image of 1 GiB needs")
    parser.add_argument("--small", action="store_true", help=f"also {SMALL_FILES:,} files of 100 bytes")
    parser.add_argument("--start-rounds", type=int, default=15, metavar="N", help="rounds of the starts (15)")
    parser.add_argument("--idle-seconds", type=int, default=60, metavar="N", help="how long an idle pod is watched (60)")
    parser.add_argument("--rate-rounds", type=int, default=5, metavar="N", help="rounds of the rates (5)")
    parser.add_argument("--busybox", type=Path, default=Path("/bin/busybox"), metavar="FILE", help="the program that is started")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR", help="where to work")
    return parser.parse_args()


def _measure(options: argparse.Namespace, work: Path, places: dict[str, Path]) -> None:
    show_machine()
    show_load("before")
    print("building and installing the wheel", file=sys.stderr)
    programs = Programs(work)
    environment = quiet_environment(work / "home")
    (work / "home" / "config").mkdir(parents=True)
    peaks: dict[str, int] = {}
    if options.only in (None, "starts"):
        _measure_starts(programs, work, environment, options, peaks)
    if options.only in (None, "pods"):
        _measure_pods(programs, work, environment, options)
    if options.only in (None, "rates"):
        _measure_rates(programs, work, places, environment, options, peaks)
    if options.only in (None, "trees"):
        _measure_trees(programs, places, environment, options.rate_rounds, peaks)
    if options.network or options.only == "network":
        _measure_network(programs, work, next(iter(places.values())), environment, options.rate_rounds, peaks)
    rows = [(name, f"{peak / 1024:.0f}") for name, peak in sorted(peaks.items())]
    show_lines("Peak memory", ("run", "MiB"), rows)
    show_load("after")


def _measure_starts(
    programs: Programs, work: Path, environment: dict[str, str], options: argparse.Namespace, peaks: dict[str, int]
) -> None:
    if os.geteuid() != 0 or not _is_static(options.busybox):
        why = f"left out: they take root, and a static {options.busybox} (Debian package busybox-static)"
        Table("Warm starts", "ms", notes=[why]).show()
        return
    table, samples = measure_starts(programs, work / "starts", environment, options.busybox, options.start_rounds)
    table.show()
    _note_peaks(peaks, samples, "a warm start")


def _measure_pods(programs: Programs, work: Path, environment: dict[str, str], options: argparse.Namespace) -> None:
    if os.geteuid() == 0 and _is_static(options.busybox):
        own = {**environment, "APPC_DIR": str(work / "running-data")}
        measure_pods(Pods(programs, work / "pods", own, options.busybox), POD_APPS, POD_ROUNDS, options.idle_seconds)


def _is_static(program: Path) -> bool:
    return program.is_file() and b"/ld-linux" not in program.read_bytes()


def _measure_rates(
    programs: Programs,
    work: Path,
    places: dict[str, Path],
    environment: dict[str, str],
    options: argparse.Namespace,
    peaks: dict[str, int],
) -> None:
    def measure(name: str, title: str, make: Callable[[Path], None], rounds: int) -> None:
        for number, (system, place) in enumerate(places.items()):
            layout, out = place / name, place / "out"
            _do_apart(make, layout)
            out.mkdir()
            rates = Rates(programs, layout, out, environment)
            if number == 0:
                _note_peaks(peaks, _peaks_of_store(programs, rates, environment, work), title)
            table, samples = measure_rates(title, rates, system, rounds)
            table.show()
            _note_peaks(peaks, samples, title)
            shutil.rmtree(layout)
            shutil.rmtree(out)

    mixed = f"{MIXED_FILES:,} files, {MIXED_BYTES / 1e6:.0f} MB"
    measure("mixed", mixed, lambda layout: make_mixed(layout, MIXED_FILES, MIXED_BYTES), options.rate_rounds)
    links = f"{LINKS_EACH:,} files, symbolic and hard links each"
    measure("links", links, lambda layout: make_links(layout, LINKS_EACH), options.rate_rounds)
    if options.small:
        measure("small", f"{SMALL_FILES:,} files of 100 bytes", lambda layout: make_small(layout, SMALL_FILES), 3)
    if options.large:
        measure("large", "8 files, 1 GiB", lambda layout: make_large(layout, LARGE_BYTES), 1)


def _measure_trees(
    programs: Programs, places: dict[str, Path], environment: dict[str, str], rounds: int, peaks: dict[str, int]
) -> None:
    title = f"{BASE_FILES:,} files, {BASE_BYTES / 1e6:.0f} MB"
    for system, place in places.items():
        layout, out = place / "base", place / "rendering"
        _do_apart(lambda layout: make_mixed(layout, BASE_FILES, BASE_BYTES), layout)
        out.mkdir()
        table, samples = measure_rendering(title, system, Rendering(programs, layout, out, environment), rounds)
        table.show()
        _note_peaks(peaks, samples, "rendering")
        shutil.rmtree(layout)
        shutil.rmtree(out)


def _measure_network(
    programs: Programs, work: Path, place: Path, environment: dict[str, str], rounds: int, peaks: dict[str, int]
) -> None:
    layout = work / "fetched"
    _do_apart(lambda layout: make_large(layout, FETCHED_BYTES), layout)
    table, samples = measure_fetches(programs, place / "network", environment, layout, rounds)
    table.show()
    _note_peaks(peaks, samples, "over HTTPS")
    shutil.rmtree(layout)


def _do_apart(make: Callable[[Path], None], layout: Path) -> None:
    """Make a layout in a process of its own, whose memory goes with it."""
    process = os.fork()
    if process == 0:
        try:
            make(layout)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    if os.waitpid(process, 0)[1] != 0:
        sys.exit("bench: a layout could not be made")


def _peaks_of_store(programs: Programs, rates: Rates, environment: dict[str, str], work: Path) -> dict[str, list[Sample]]:
    """Return what an import into a store takes."""
    data = work / "store"
    words = [programs["acfetch"], "--insecure-options=image", "--dir", str(data), str(rates.image)]
    found = {"acfetch": [run_once(Command("acfetch", words, environment=environment))]}
    shutil.rmtree(data)
    return found


def _note_peaks(peaks: dict[str, int], samples: dict[str, list[Sample]], of: str) -> None:
    for name, runs in samples.items():
        key = f"{name}, {of}"
        peaks[key] = max(peaks.get(key, 0), *(run.peak for run in runs))


if __name__ == "__main__":
    main()
