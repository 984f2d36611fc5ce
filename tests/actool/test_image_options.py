"""What several subcommands of actool take, worded once."""

from __future__ import annotations

import pytest

from acspec.archive.compression import Compression
from actool.image_options import choose_encoder


def test_who_compresses_is_said_where_isal_makes_other_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_encoder(None, Compression.GZIP) == "isal"
    assert capsys.readouterr() == ("", "")
    # As on arm64, which is not at hand.
    monkeypatch.setattr("acspec.archive.encoders._KNOWN_ANSWERS", dict.fromkeys(range(3), "other"))
    assert choose_encoder(None, Compression.GZIP) == choose_encoder(None, None) == "zlib"
    said = "actool: gzip: by zlib, as isal makes other bytes here than elsewhere (--compression-encoder zlib)\n"
    assert capsys.readouterr() == ("", said * 2)


@pytest.mark.parametrize(
    ("named", "compression", "chosen"),
    [("isal", Compression.GZIP, "isal"), ("zlib", None, "zlib"), (None, Compression.XZ, "isal"), (None, Compression.NONE, "isal")],
)
def test_who_was_named_or_does_not_matter_is_not_asked(
    named: str | None, compression: Compression | None, chosen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert choose_encoder(named, compression) == chosen
    assert capsys.readouterr() == ("", "")
