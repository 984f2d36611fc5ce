"""Numbers of bytes, for people."""

from __future__ import annotations

import pytest

from acspec.sizes import human_size

SIZES = {
    0: "0 bytes",
    1023: "1023 bytes",
    1024: "1.0 KiB",
    1536: "1.5 KiB",
    1024**2: "1.0 MiB",
    5 * 1024**3: "5.0 GiB",
    1024**4: "1024.0 GiB",
}


@pytest.mark.parametrize(("size", "text"), SIZES.items())
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert human_size(size) == text
