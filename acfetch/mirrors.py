"""Sources that an operator names for prefixes of names: mirrors, local directories, the only way out of a site: `sources.json`.

Which of them count for a name, and in which order; nothing is fetched here.

Source: spec/configuration.md, Sources.
"""

from __future__ import annotations

from acfetch.errors import TransportRefusedError
from acfetch.templates import check_url, variables_in
from acfetch.trust import ROOT, is_prefix
from acspec.names import parse_ac_identifier
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from acspec.configuration import ConfigFile, Said
    from acspec.fields import Fields
    from acspec.jsontext import JSONValue

FILE = "sources.json"
ALL_NAMES = "*"

_IN_DIRECTORY = "{name}-{version}-{os}-{arch}.{ext}"
_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.")


class Mirror(Value):
    """Where images with a prefix are looked for, templates of URLs and of absolute paths; *only*: and nowhere else."""

    templates: tuple[str, ...]
    only: bool = False

    def to_json(self) -> JSONValue:
        """Return it as the file has it. Source: spec/configuration.md, Sources."""
        return {"templates": list(self.templates), "only": self.only}


def parse_mirrors(file: ConfigFile) -> dict[str, Mirror | None]:
    """Return the sources in a file by their prefix, `*` for all names. Raises: FormatError.

    Source: spec/configuration.md, Sources.
    """
    return {_check_prefix(key, file.fields): _read(file.fields.object(key)) for key in file.fields.names()}


def _check_prefix(key: str, fields: Fields) -> str:
    return key if key == ALL_NAMES else parse_ac_identifier(key, fields.at(None))


def _read(fields: Fields | None) -> Mirror | None:
    if fields is None:
        return None
    fields.required("templates")
    texts = fields.texts("templates")
    templates = tuple(_read_template(text, fields, f"templates[{number}]") for number, text in enumerate(texts))
    only = fields.boolean("only") or False
    fields.check_known()
    return Mirror(templates, only)


def _read_template(text: str, fields: Fields, key: str) -> str:
    """Return a template, of a path or of a URL. What it is does not go into a message: a password may be in it."""
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() == "file":
        if not rest.startswith("/") or set("%?#") & set(rest):
            raise fields.fault(key, "is not the URL of plain files on this machine", "an absolute path will do")
        text = rest
    if text.startswith("/"):
        text = text if "{" in text else f"{text.rstrip('/')}/{_IN_DIRECTORY}"
    elif not separator or not scheme or not _SCHEME.issuperset(scheme.lower()):
        raise fields.fault(key, "is neither a URL nor an absolute path")
    names = variables_in(text)
    if any(name.startswith("{") for name in names) or "\\" in text or not text.isprintable():
        raise fields.fault(key, "is not a template")
    if "ext" not in names:
        raise fields.fault(key, "has no {ext}")
    if not text.startswith("/"):
        _check_sample(text, names, fields, key)
    return text


def _check_sample(template: str, names: list[str], fields: Fields, key: str) -> None:
    """Check what *template* would make of harmless values, so that its faults are told before it is needed. Raises: FormatError."""
    for name in names:
        template = template.replace("{" + name + "}", "x")
    try:
        check_url(template)
    except TransportRefusedError as error:
        hint = "auth.json is for credentials" if "user information" in error.why else None
        raise fields.fault(key, error.why, hint) from None


def mirrors_for(name: str, mirrors: Mapping[str, Said[Mirror]]) -> list[Said[Mirror]]:
    """Return the sources that count for *name*: the longest prefix first, and nothing after one that is to be the only one.

    Source: spec/configuration.md, Sources.
    """
    matching = [key for key in mirrors if is_prefix(ROOT if key == ALL_NAMES else key, name)]
    chosen = []
    for key in sorted(matching, key=lambda key: 0 if key == ALL_NAMES else len(key), reverse=True):
        chosen.append(mirrors[key])
        if mirrors[key].value.only:
            break
    return chosen
