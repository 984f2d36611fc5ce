"""The configuration of acfetch: its files, each read when something in it is asked for, and at most once.

What the files mean is for `settings`, `mirrors`, `auth` and `policy` to say; all but the last are imported when they are needed.

Source: spec/configuration.md.
"""

from __future__ import annotations

from functools import cached_property

from acfetch import policy
from acspec.configuration import merge, parse_config_files, read_config_files
from acspec.directories import system_directories
from acspec.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from acfetch.credentials import Credentials
    from acfetch.mirrors import Mirror
    from acfetch.policy import Policy, Rule
    from acfetch.settings import Settings
    from acspec.configuration import Said
    from acspec.jsontext import JSONValue


class Line(Value):
    """What one key of one file says, as JSON without secrets, and where it is said; a default is said nowhere."""

    file: str
    key: str
    value: JSONValue
    said_in: str | None


class Config:
    """What is configured in *directories*, later ones winning; the system's policy counts besides, whatever they are.

    Each of its attributes raises ConfigError for a file that is bad, and OSError.
    """

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = tuple(directories)

    @cached_property
    def settings(self) -> Settings:
        """What `fetch.json` sets."""
        from acfetch import settings

        return settings.make_settings(self._settings)

    @cached_property
    def _settings(self) -> dict[str, Said[int]]:
        from acfetch import settings

        return merge(parse_config_files(read_config_files(self._directories, settings.FILE), settings.parse_settings))

    @cached_property
    def mirrors(self) -> dict[str, Said[Mirror]]:
        """The sources of `sources.json`, by prefix."""
        from acfetch import mirrors

        return merge(parse_config_files(read_config_files(self._directories, mirrors.FILE), mirrors.parse_mirrors))

    @cached_property
    def credentials(self) -> Credentials:
        """The credentials for servers that ask for some; `auth.json` is read by itself."""
        from acfetch.credentials import Credentials

        return Credentials(self._directories)

    @cached_property
    def policy(self) -> Policy:
        """What the files `policy.json` allow together."""
        return policy.make_policy(self._policies)

    @cached_property
    def _policies(self) -> list[Mapping[str, Said[Rule]]]:
        system = system_directories()
        own = [directory for directory in self._directories if directory not in system]
        return [merge(self._read_policies(system)), *(merge([layer]) for layer in self._read_policies(own))]

    def _read_policies(self, directories: Sequence[str]) -> Iterator[dict[str, Said[Rule | None]]]:
        return parse_config_files(read_config_files(directories, policy.FILE), policy.parse_policy)

    def lines(self) -> Iterator[Line]:
        """Yield all of it, file by file, defaults included and secrets not."""
        from acfetch import auth, mirrors, settings

        for key, said in sorted(self.credentials.entries.items()):
            yield Line(auth.FILE, key, said.value.to_json(), said.file)
        for key, (name, _, _) in settings.KEYS.items():
            place = self._settings[key].file if key in self._settings else None
            yield Line(settings.FILE, key, getattr(self.settings, name), place)
        for layer in self._policies:
            for key, rule in sorted(layer.items()):
                yield Line(policy.FILE, key, rule.value.to_json(), rule.file)
        for key, mirror in sorted(self.mirrors.items()):
            yield Line(mirrors.FILE, key, mirror.value.to_json(), mirror.file)
