"""`~/.netrc`: who to be on which machine. Text in, logins out; nothing is read here.

Stricter than most: what programs read differently is refused, not guessed. The standard library's `netrc` is not used: it lets the
last of several entries win, knows no bound, and shows what it did not understand, which may be the password. `default` counts for
nothing, because a password is for somebody.

Source: netrc(5); spec/configuration.md, Netrc.
"""

from __future__ import annotations

from acspec.errors import FormatError
from acspec.values import Value, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SPACE = " \t\r\n"
_VALUED = ("login", "password", "account")


class Login(Value):
    """A user's name on a machine, and the password."""

    user: str
    password: str = field(repr=False)


def parse_netrc(data: bytes, what: str) -> dict[str, Login]:
    """Return the logins in a netrc file by machine, lower-case: of several for one machine the first, and none that lacks a half.

    Raises: FormatError with the line, never with what is in it.
    Source: netrc(5); spec/configuration.md, Netrc.
    """
    try:
        reader = _Reader(data.decode("utf-8"), what)
    except UnicodeDecodeError as error:
        raise FormatError(what, f"not UTF-8 at byte {error.start}") from None
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for keyword in reader.keywords():
        if keyword == "machine":
            current = {}
            found.setdefault(reader.value(keyword).lower(), current)
        elif keyword == "default":
            current = {}
        elif keyword in _VALUED:
            current.setdefault(keyword, reader.value(keyword))
        elif keyword == "macdef":
            reader.skip_macro()
        else:
            raise reader.fault("neither machine, default, login, password, account nor macdef")
    return {name: Login(one["login"], one["password"]) for name, one in found.items() if "login" in one and "password" in one}


class _Reader:
    """The words of a netrc file, one after another."""

    def __init__(self, text: str, what: str) -> None:
        self._text = text
        self._what = what
        self._at = 0
        self._start = 0

    def fault(self, why: str) -> FormatError:
        """Return the error that says what is wrong with the word that was read last."""
        return FormatError(f"{self._what}:{self._text.count(chr(10), 0, self._start) + 1}", why)

    def keywords(self) -> Iterator[str]:
        """Yield what stands where a keyword belongs; comments are left out."""
        while self._skip_space():
            if self._text[self._at] == "#":
                self._at = self._find("\n")
            else:
                yield self._word()

    def value(self, keyword: str) -> str:
        """Return the word after *keyword*. Raises: FormatError."""
        if not self._skip_space():
            raise self.fault(f"nothing comes after {keyword}")
        return self._quoted() if self._text[self._at] == '"' else self._word()

    def skip_macro(self) -> None:
        """Pass over a macro, which ends at an empty line."""
        self._at = min(self._find("\n\n"), self._find("\n\r\n"))

    def _find(self, text: str) -> int:
        index = self._text.find(text, self._at)
        return len(self._text) if index < 0 else index

    def _skip_space(self) -> bool:
        """Go to the next word, and tell whether there is one."""
        while self._at < len(self._text) and self._text[self._at] in _SPACE:
            self._at += 1
        return self._at < len(self._text)

    def _word(self) -> str:
        self._start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _SPACE:
            self._at += 1
        word = self._text[self._start : self._at]
        if "\\" in word or '"' in word:
            raise self.fault('a word with " or \\ in it has to be between quotation marks, since programs read it differently')
        return word

    def _quoted(self) -> str:
        self._start = self._at
        end, parts = self._at + 1, []
        while (character := self._text[end : end + 1]) != '"':
            if character == "\\":
                end += 1
                character = self._text[end : end + 1]
                if character not in ('"', "\\"):
                    raise self.fault('behind a \\ stands neither " nor \\')
            if character in ("", "\n"):
                raise self.fault("its quotation marks are not closed")
            parts.append(character)
            end += 1
        self._at = end + 1
        if self._text[self._at : self._at + 1] not in ("", *_SPACE):
            raise self.fault("something follows its quotation marks")
        return "".join(parts)
