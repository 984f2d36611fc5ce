"""The credentials in `auth.json`, by host, port and path, and how they answer a server that asks for some.

Values and decisions only: which entries count for a URL, what a challenge asks for, what an answer looks like on the wire. Secrets
that lie in files of their own are read elsewhere.

Source: spec/configuration.md, Authentication; RFC 9110, HTTP Authentication; RFC 7617; RFC 6750.
"""

from __future__ import annotations

import os
from base64 import b64encode
from urllib.parse import urlsplit

from acfetch.errors import TransportRefusedError
from acfetch.templates import check_url
from acspec.errors import FormatError
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from acspec.configuration import ConfigFile, Said
    from acspec.fields import Fields
    from acspec.jsontext import JSONValue

FILE = "auth.json"
BASIC, BEARER = "basic", "bearer"
HIDDEN = "…"

_HTTPS_PORT = 443
_TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/")
_SCHEME_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")


class Secret(Value):
    """A password or a token: as it is, or the absolute path of the file that holds it."""

    text: str | None = field(repr=False)
    path: str | None = None


class Entry(Value):
    """What is said at one place: a user with a password, a bearer token, or one or the other; *always*: unasked, too."""

    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    always: bool = False

    @property
    def schemes(self) -> tuple[str, ...]:
        """What it can answer, what is to be preferred first."""
        return (*((BEARER,) if self.token else ()), *((BASIC,) if self.password else ()))

    def to_json(self) -> JSONValue:
        """Return it as the file has it, but for the secrets. Source: spec/configuration.md, Authentication."""
        shown: dict[str, JSONValue] = {}
        if self.password is not None:
            shown[BASIC] = {"user": self.user, **_show("password", self.password)}
        if self.token is not None:
            shown[BEARER] = _show("token", self.token)
        return {**shown, **({"always": True} if self.always else {})}


def _show(key: str, secret: Secret) -> dict[str, JSONValue]:
    return {key: HIDDEN} if secret.path is None else {f"{key}File": secret.path}


def parse_auth(file: ConfigFile) -> dict[str, Entry | None]:
    """Return the entries in a file by their places, `HOST[:PORT][/PATH]`. Raises: FormatError, without what is secret.

    Source: spec/configuration.md, Authentication.
    """
    directory = os.path.dirname(file.path)
    return {_check_place(key, file.fields): _read_entry(file.fields.object(key), directory) for key in file.fields.names()}


def _check_place(key: str, fields: Fields) -> str:
    """Return *key*, a place written in the one way there is, so that later files can take it up. Raises: FormatError."""
    try:
        check_url(f"https://{key}")
        parts = urlsplit(f"https://{key}")
    except TransportRefusedError:
        raise fields.fault(None, "a key that is no place of the form HOST[:PORT][/PATH]") from None
    plain = parts.netloc.lower().removesuffix(f":{_HTTPS_PORT}").removesuffix(":") + parts.path.rstrip("/")
    if parts.query or parts.fragment or plain != key:
        raise fields.fault(None, f'"{key}" is no place of the form HOST[:PORT][/PATH]', f'"{plain}" is')
    return key


def _read_entry(fields: Fields | None, directory: str) -> Entry | None:
    if fields is None:
        return None
    basic, bearer = fields.object(BASIC), fields.object(BEARER)
    user = password = token = None
    if basic is not None:
        user = basic.named("user", check_user)
        password = _read_secret(basic, "password", directory)
    if bearer is not None:
        token = _read_secret(bearer, "token", directory)
    always = fields.boolean("always") or False
    fields.check_known()
    if password is None and token is None:
        raise fields.fault(None, f'has neither "{BASIC}" nor "{BEARER}"')
    return Entry(user, password, token, always)


def _read_secret(fields: Fields, key: str, directory: str) -> Secret:
    text, path = fields.optional_text(key), fields.optional_text(f"{key}File")
    fields.check_known()
    if (text is None) == (path is None):
        raise fields.fault(None, f'needs one of "{key}" and "{key}File"')
    if text is not None:
        (check_password if key == "password" else check_token)(text, fields.at(key))
    return Secret(text, None if path is None else os.path.join(directory, path))


def holds_secrets(entries: Iterable[Entry | None]) -> bool:
    """Tell whether one of *entries* has its secret in it, and not in a file of its own."""
    secrets = [secret for entry in entries if entry is not None for secret in (entry.password, entry.token)]
    return any(secret is not None and secret.text is not None for secret in secrets)


def check_user(text: str, what: str) -> str:
    """Return *text* as the name of a user. Raises: FormatError. Source: RFC 7617, section 2."""
    if not text or ":" in text or _has_control(text):
        raise FormatError(what, "is not the name of a user: it is empty, or has a colon or control characters")
    return text


def check_password(text: str, what: str) -> str:
    """Return *text* as a password. Raises: FormatError. Source: RFC 7617, section 2."""
    if not text or _has_control(text):
        raise FormatError(what, "is not a password: it is empty, or has control characters")
    return text


def check_token(text: str, what: str) -> str:
    """Return *text* as a bearer token. Raises: FormatError. Source: RFC 6750, section 2.1."""
    digits = text.rstrip("=")
    if not digits or not _TOKEN.issuperset(digits):
        raise FormatError(what, "is not a token: it has other characters than letters, digits, -._~+/ and = at the end")
    return text


def _has_control(text: str) -> bool:
    return any(ord(character) < 0x20 or ord(character) == 0x7F for character in text)


def basic_header(user: str, password: str) -> str:
    """Return the value of Authorization for a user. Source: RFC 7617, section 2."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


def bearer_header(token: str) -> str:
    """Return the value of Authorization for a token. Source: RFC 6750, section 2.1."""
    return f"Bearer {token}"


def entries_for(url: str, entries: Mapping[str, Said[Entry]]) -> list[tuple[str, Said[Entry]]]:
    """Return the entries whose place *url* is at or below, each with its place, the longest path first; none unless it is https.

    Source: spec/configuration.md, Authentication.
    """
    host = host_of(url)
    path = urlsplit(url).path
    if host is None:
        return []
    found = []
    for place, said in entries.items():
        own_host, slash, own_path = place.partition("/")
        if own_host == host and (path + "/").startswith(slash + own_path + "/"):
            found.append((place, said))
    return sorted(found, key=lambda item: len(item[0]), reverse=True)


def host_of(url: str) -> str | None:
    """Return host and port of *url* as places and netrc have them, without the port of https; None unless it is https."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "https":
        return None
    return parts.netloc.lower().removesuffix(f":{_HTTPS_PORT}").removesuffix(":")


def parse_challenges(headers: Iterable[str]) -> frozenset[str]:
    """Return the schemes, lower-case, that WWW-Authenticate headers ask for; what is no challenge counts for nothing.

    Source: RFC 9110, WWW-Authenticate.
    """
    schemes = set()
    for header in headers:
        for part in _without_strings(header).split(","):
            word, _, rest = part.strip().partition(" ")
            # What follows a comma is a further parameter of the challenge before it, or a challenge of its own.
            if word and _SCHEME_NAME.issuperset(word.lower()) and not rest.lstrip().startswith("="):
                schemes.add(word.lower())
    return frozenset(schemes)


def _without_strings(header: str) -> str:
    """Return *header* without its quoted strings, in which anything may stand."""
    parts, at, quoted = [], 0, False
    while at < len(header):
        character = header[at]
        if character == '"':
            quoted = not quoted
        elif quoted and character == "\\":
            at += 1
        elif not quoted:
            parts.append(character)
        at += 1
    return "".join(parts)


def explain_refusal(status: int, asked: Collection[str], sent: str | None) -> str | None:
    """Return what to do about a *status* that may be for want of credentials: those of the file *sent* went out, or none did."""
    if status not in (401, 403):
        return None
    if sent is not None:
        return f"the credentials in {sent} did not help"
    if status == 403 or not asked:
        return f'it asks for no credentials; "always" in {FILE} sends some unasked'
    known = [scheme for scheme in (BEARER, BASIC) if scheme in asked]
    if not known:
        return f"it asks for {min(asked)}, which acfetch does not speak"
    return f"it asks for {' or '.join(known)} credentials; {FILE}{' or netrc' if BASIC in known else ''} says which"
