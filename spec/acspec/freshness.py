"""How fresh an image in the store is: what was asked for when it was found to be current, and for how long that counts.

Source: spec/store.md, Records and Freshness.
"""

from __future__ import annotations

from acspec.timestamps import parse_timestamp
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from acspec.fields import Fields
    from acspec.jsontext import JSONValue


class Freshness(Value):
    """What an answer said of an image: *asked* is the name and labels, or the URL, that led to it; times in RFC 3339.

    *etag* and *last_modified* are what to ask by whether it has changed; None where the server did not say.
    """

    asked: str
    checked: str
    until: str
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def read(cls, fields: Fields) -> Freshness:
        """Return the freshness in *fields*. Raises: FormatError. Source: spec/store.md, Records."""
        freshness = cls(
            asked=fields.text("asked"),
            checked=fields.text("checked"),
            until=fields.text("until"),
            etag=fields.optional_text("etag"),
            last_modified=fields.optional_text("lastModified"),
        )
        for key, text in (("checked", freshness.checked), ("until", freshness.until)):
            parse_timestamp(text, fields.at(key))
        return freshness

    def to_json(self) -> dict[str, JSONValue]:
        """Return it as JSON. Source: spec/store.md, Records."""
        return {
            "asked": self.asked,
            "checked": self.checked,
            "until": self.until,
            "etag": self.etag,
            "lastModified": self.last_modified,
        }

    def holds(self, now: float) -> bool:
        """Tell whether it still counts; *now* in seconds since 1970. A time of checking that is yet to come is none."""
        return parse_timestamp(self.checked, "checked").seconds <= now < parse_timestamp(self.until, "until").seconds
