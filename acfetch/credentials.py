"""Credentials, an operator's in `auth.json` and a user's in netrc, read when a server asks for them.

They are for the place that they were written for, host and port included, and for https: a redirect to another place takes none
along, and may find others there. A file that holds secrets and that others may read is refused, as ssh does with keys.

Source: spec/configuration.md, Authentication and Netrc.
"""

from __future__ import annotations

import os
from functools import cached_property

from acfetch import auth
from acfetch.auth import BASIC, BEARER, Entry, Secret
from acfetch.netrc import parse_netrc
from acspec import limits
from acspec.configuration import merge, parse_config_files, read_config_files
from acspec.errors import ConfigError, FormatError
from acspec.jsontext import read_limited
from acspec.ownership import is_owned_by_us
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from acfetch.netrc import Login
    from acspec.configuration import ConfigFile, Said


class Credential(Value):
    """The value of an Authorization header, and the file that it comes from."""

    header: str = field(repr=False)
    file: str


class Credentials:
    """The credentials for servers; what one of them has asked for once is sent to the same place unasked afterwards."""

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = directories
        self._asked: dict[tuple[str, str], Credential] = {}

    @cached_property
    def entries(self) -> dict[str, Said[Entry]]:
        """The entries of `auth.json`, by place. Raises: ConfigError; OSError."""
        files = read_config_files(self._directories, auth.FILE, skip_closed=True)
        return merge(parse_config_files(files, _parse_private))

    def find_unasked(self, url: str) -> Credential | None:
        """Return what to send to *url* before it asks, or None. Raises: ConfigError; OSError."""
        for place, said in auth.entries_for(url, self.entries):
            for scheme in said.value.schemes:
                if (place, scheme) in self._asked:
                    return self._asked[place, scheme]
            if said.value.always:
                return self._open(place, said.value.schemes[0], said)
        return self._asked.get((auth.host_of(url) or "", "netrc"))

    def find(self, url: str, asked: Collection[str]) -> Credential | None:
        """Return what to answer *url* when it asks for one of these schemes, or None. Raises: ConfigError; OSError.

        Source: spec/configuration.md, Authentication.
        """
        for place, said in auth.entries_for(url, self.entries):
            for scheme in said.value.schemes:
                if scheme in asked:
                    return self._open(place, scheme, said)
        return self._find_in_netrc(url) if BASIC in asked else None

    def _open(self, place: str, scheme: str, said: Said[Entry]) -> Credential:
        entry = said.value
        if scheme == BEARER and entry.token is not None:
            header = auth.bearer_header(_read_secret(entry.token, auth.check_token))
        elif entry.user is not None and entry.password is not None:
            header = auth.basic_header(entry.user, _read_secret(entry.password, auth.check_password))
        else:
            raise AssertionError("an entry has what its schemes say")
        credential = self._asked[place, scheme] = Credential(header, said.file)
        return credential

    def _find_in_netrc(self, url: str) -> Credential | None:
        host = auth.host_of(url)
        path = find_netrc()
        if host is None or path is None:
            return None
        login = _read_netrc(path, host)
        if login is None:
            return None
        credential = self._asked[host, "netrc"] = Credential(auth.basic_header(login.user, login.password), path)
        return credential


def _parse_private(file: ConfigFile) -> dict[str, Entry | None]:
    entries = auth.parse_auth(file)
    if auth.holds_secrets(entries.values()):
        check_private(file.path, file.status)
    return entries


def check_private(path: str, status: os.stat_result) -> None:
    """Check that a file with secrets is the caller's or root's, and that nobody else may read it. Raises: ConfigError.

    Source: spec/configuration.md, Authentication.
    """
    if not is_owned_by_us(status):
        raise ConfigError(path, "holds secrets and belongs to another user")
    # Root may share what is root's with a group.
    if status.st_mode & (0o037 if status.st_uid == 0 else 0o077):
        raise ConfigError(path, "holds secrets and others may read it", f"chmod 600 {path}")


def _read(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """Return what is in a file, and whose it is. Raises: ConfigError; OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        data, status = read_limited(descriptor, limit), os.fstat(descriptor)
    except IsADirectoryError:
        raise ConfigError(path, "is a directory") from None
    finally:
        os.close(descriptor)
    if len(data) > limit:
        raise ConfigError(path, f"larger than the limit of {limit} bytes")
    return data, status


def _read_secret(secret: Secret, check: Callable[[str, str], str]) -> str:
    """Return a secret as *check* lets it pass: the first line of its file, when it has one. Raises: ConfigError; OSError."""
    if secret.path is None:
        return secret.text or ""
    try:
        data, status = _read(secret.path, limits.CREDENTIAL_BYTES)
        check_private(secret.path, status)
        return check(data.partition(b"\n")[0].removesuffix(b"\r").decode("utf-8"), secret.path)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(secret.path, "is not there") from None
    except UnicodeDecodeError:
        raise ConfigError(secret.path, "is not UTF-8") from None
    except FormatError as error:
        raise ConfigError(error.what, error.why) from None


def find_netrc() -> str | None:
    """Return the path of the netrc file: `$NETRC`, else `.netrc` in the caller's home, which `$HOME` is when it belongs to them.

    Source: spec/configuration.md, Netrc.
    """
    named = os.environ.get("NETRC")
    if named:
        return os.path.abspath(named)
    home = _find_home()
    return None if home is None else os.path.join(home, ".netrc")


def _find_home() -> str | None:
    home = os.environ.get("HOME", "")
    try:
        if home.startswith("/") and os.stat(home).st_uid == os.geteuid():
            return home
    except OSError:
        pass
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return None


def _read_netrc(path: str, host: str) -> Login | None:
    """Return the login for *host*, or None. Raises: ConfigError; OSError."""
    try:
        data, status = _read(path, limits.NETRC_BYTES)
        login = parse_netrc(data, path).get(host)
        if login is None:
            return None
        check_private(path, status)  # one that is not used may be as it likes, /dev/null included
        auth.check_user(login.user, f"{path}: login for {host}")
        auth.check_password(login.password, f"{path}: password for {host}")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except FormatError as error:
        raise ConfigError(error.what, error.why) from None
    return login
