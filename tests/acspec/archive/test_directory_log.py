"""Notes of directories, in memory and on disk."""

from __future__ import annotations

import pytest

from acspec.archive import directory_log
from acspec.archive.directory_log import DirectoryLog, DirectoryNote

NOTES = [
    DirectoryNote(b"%d/%s" % (number, b"x" * number), number, -number * 10**9 - 1, acl, default)
    for number in range(50)
    for acl, default in ((None, None), (b"acl", None), (None, b""), (b"", b"default"))
]


@pytest.mark.parametrize("memory", [0, 1_000, 1_000_000])
def test_notes_come_back_in_order_wherever_they_are_kept(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_log, "_IN_MEMORY", memory)
    log = DirectoryLog()
    for note in NOTES:
        log.add(note)
    assert list(log) == NOTES == list(log)
    log.close()
    log.close()
