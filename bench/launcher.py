"""Run one command and write what it took: `launcher.py WORDS…`, started by `clock` as `python -I -S`.

It is a program of its own because a new process inherits the greatest resident size of whoever starts it: the smaller that is, the
smaller the programs whose memory can be seen. It imports nothing that the interpreter has not already.

Its output is one line: seconds to the first byte on standard output, to the end, and of processors; KiB of memory; exit code.
"""

import os
import sys
import time


def main() -> None:
    """Run the command on the command line and write the line."""
    words = sys.argv[1:]
    reading, writing = os.pipe()
    started = time.perf_counter()
    process = os.posix_spawnp(words[0], words, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)])
    os.close(writing)
    os.read(reading, 1)
    first = time.perf_counter()
    while os.read(reading, 1 << 16):
        pass
    _, status, usage = os.wait4(process, 0)
    ended = time.perf_counter()
    code = os.waitstatus_to_exitcode(status)
    print(first - started, ended - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, code)


if __name__ == "__main__":
    main()
