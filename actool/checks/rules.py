"""Every rule that `actool validate` finds something by: its name, which stays, whether breaking it is an error, and what it says.

docs/validation.md explains each, and how to get rid of what it finds.

Source: docs/validation.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from acspec.errors import UsageError
from acspec.values import Value
from actool.checks.reports import Severity

_E, _W = Severity.ERROR, Severity.WARNING


class Rule(Value):
    """A rule: its name, how bad it is to break it, what it says, as one sentence, and what to do about it, in Markdown."""

    id: str
    severity: Severity
    summary: str
    remedy: str = ""


RULES = (
    # What keeps a file from being what it is to be.
    Rule("input", _E, "The file can be opened and read.", "look at its name, permissions and disk"),
    Rule(
        "archive",
        _E,
        "The archive is one that the specification allows, whole and undamaged.",
        "build it again, with `actool build`",
    ),
    Rule("layout", _E, "The layout directory holds what an image can hold.", "remove it from there"),
    Rule("manifest-json", _E, "The manifest is JSON within the limits.", "mend it there"),
    Rule("manifest-kind", _E, "The manifest is of a kind that belongs there.", "set `acKind`"),
    Rule("manifest-schema", _E, "The manifest keeps the schema of its kind.", "mend the value at that place"),
    # What is odd in the format.
    Rule("archive-end", _W, "The archive ends with two blocks of zeros.", "build it again"),
    Rule("arch-without-os", _W, "The label arch stands beside the label os.", "add the label os"),
    Rule("capability-unknown", _W, "Capabilities are those of Linux.", "look for a slip in the name"),
    Rule(
        "cpu-unit",
        _W,
        "Since version 0.7.0 of the specification resource/cpu counts cores.",
        "say what is meant in cores, and raise `acVersion`",
    ),
    Rule("errno-unknown", _W, "The errno of a seccomp isolator is one of this machine.", "look for a slip in the name"),
    Rule("exec-empty", _W, "The app names a program.", "name one"),
    Rule("isolator-scope", _W, "Isolators of apps and of pods stand where they mean something.", "move it"),
    Rule(
        "isolator-unknown",
        _W,
        "Isolators are those of the specification.",
        "look for a slip in the name; keep it if an executor knows it",
    ),
    Rule("pod-empty", _W, "The pod has an app.", "add one"),
    Rule("port-count", _W, "A range of ports has at least one.", "leave `count` out"),
    Rule("port-name", _W, "Names of ports are unique in a pod.", "rename one"),
    Rule("quantity-inexact", _W, "Quantities are whole numbers of their unit, within 63 bits.", "write it without a fraction"),
    Rule("resource-empty", _W, "A resource is requested or limited.", "add a `limit`, or remove it"),
    Rule("resource-request", _W, "A request is within the limit.", "lower the request"),
    Rule(
        "unknown-key",
        _W,
        "Keys of the manifest are spelt as in the specification.",
        "mend the spelling; keys with a prefix of your own are never near",
    ),
    Rule("unreleased-version", _W, "acVersion is a released version of the specification.", "set a released one, such as 0.8.11"),
    Rule("volume-key", _W, "Keys of a volume mean something for its kind.", "remove it"),
    Rule("more-warnings", _W, "There are at most a hundred warnings of a file."),
    # What the specification says SHOULD be.
    Rule(
        "image-name",
        _W,
        "The name of an image is like a URL, so that it can be discovered.",
        "name it like a URL: `example.com/app`",
    ),
    Rule(
        "mount-hides-files",
        _W,
        "No volume hides files of the image.",
        "leave the files out, or have the app copy them from elsewhere",
    ),
    Rule("mount-overlap", _W, "Mount targets do not overlap.", "give each target a place of its own"),
    Rule(
        "port-protocol",
        _W,
        "The protocol of a port is a transport protocol.",
        "name the transport, not what is spoken over it",
    ),
    # What bites elsewhere, and at run time.
    Rule("rkt-refuses", _W, "The last rkt reads the manifest.", "write it otherwise, where the image is for rkt, too"),
    Rule(
        "rkt-loses",
        _W,
        "The last rkt gives the app all that is in the image.",
        "leave it out, or rename it, where the image is for rkt, too",
    ),
    Rule("device-node", _W, "The image leaves devices to the executor.", "leave them out"),
    Rule("whiteout", _W, "The image holds no file that stands for none.", "leave them out, and with each what it is to hide"),
    Rule("exec-format", _W, "What is executed is a program or a script.", "add the line"),
    Rule("exec-missing", _W, "What is executed is in the image.", "add the file, mend the path, or list it in `pathWhitelist`"),
    Rule(
        "exec-not-executable",
        _W,
        "What is executed may be executed by the app's user.",
        "`chmod`, in the layout; a directory of mode 0700 on the way is often the umask of who built it",
    ),
    Rule(
        "interpreter-missing",
        _W,
        "The interpreter of a script is in the image.",
        "add it; a name that ends in `\\x0d` comes from an editor that ends lines in CR LF",
    ),
    Rule("loader-missing", _W, "The loader of a program is in the image.", "link it statically, or add loader and libraries"),
    Rule("owner-unresolved", _W, "The user and the group of the app have numbers.", "add the file, or write a number"),
    Rule("pattern-unmatched", _W, "A pattern of .aciignore fits something.", "mend its spelling, or remove it"),
    Rule(
        "platform-mismatch",
        _W,
        "Programs are for the platform that the labels os and arch say.",
        "mend the label, or the build",
    ),
    Rule(
        "platform-unlabelled",
        _W,
        "An image with a program for one machine says so in the labels os and arch.",
        "add the labels",
    ),
    Rule("setuid-file", _W, "No file gives its user the rights of another.", "`chmod ug-s`, where nothing needs it"),
    Rule("working-directory", _W, "The working directory is there.", "make it"),
    Rule(
        "world-writable",
        _W,
        "No file can be written by everybody, and no directory without the sticky bit.",
        "`chmod o-w`, or `chmod +t`",
    ),
)


def parse_ignored(values: Iterable[str]) -> frozenset[str]:
    """Return the rules that *values* name, each of them one or more with commas between.

    Raises: UsageError for what is no rule, or no mere warning.
    Source: docs/validation.md, Rules.
    """
    levels = {rule.id: rule.severity for rule in RULES}
    names = [name for value in values for name in value.split(",")]
    for name in names:
        if name not in levels:
            from difflib import get_close_matches

            near = get_close_matches(name, levels, 1)
            raise UsageError(
                "--ignore",
                f'"{name}" is no rule',
                f"did you mean {near[0]}?" if near else "--format json names the rule of each finding",
            )
        if levels[name] is Severity.ERROR:
            raise UsageError("--ignore", f"{name} is about errors, and those count always")
    return frozenset(names)
