"""Every rule that `actool validate` finds something by: its name, which stays, whether breaking it is an error, and what it says.

docs/validation.md explains each, and how to get rid of what it finds.

Source: docs/validation.md.
"""

from __future__ import annotations

from acspec.values import Value
from actool.checks.reports import Severity

_E, _W = Severity.ERROR, Severity.WARNING


class Rule(Value):
    """A rule: its name, how bad it is to break it, and what it says, as one sentence."""

    id: str
    severity: Severity
    summary: str


RULES = (
    # What keeps a file from being what it is to be.
    Rule("input", _E, "The file can be opened and read."),
    Rule("archive", _E, "The archive is one that the specification allows, whole and undamaged."),
    Rule("layout", _E, "The layout directory holds what an image can hold."),
    Rule("manifest-json", _E, "The manifest is JSON within the limits."),
    Rule("manifest-kind", _E, "The manifest is of a kind that belongs there."),
    Rule("manifest-schema", _E, "The manifest keeps the schema of its kind."),
    # What is odd in the format.
    Rule("archive-end", _W, "The archive ends with two blocks of zeros."),
    Rule("arch-without-os", _W, "The label arch stands beside the label os."),
    Rule("capability-unknown", _W, "Capabilities are those of Linux."),
    Rule("cpu-unit", _W, "Since version 0.7.0 of the specification resource/cpu counts cores."),
    Rule("errno-unknown", _W, "The errno of a seccomp isolator is one of this machine."),
    Rule("exec-empty", _W, "The app names a program."),
    Rule("isolator-scope", _W, "Isolators of apps and of pods stand where they mean something."),
    Rule("isolator-unknown", _W, "Isolators are those of the specification."),
    Rule("port-count", _W, "A range of ports has at least one."),
    Rule("port-name", _W, "Names of ports are unique in a pod."),
    Rule("quantity-inexact", _W, "Quantities are whole numbers of their unit, within 63 bits."),
    Rule("resource-empty", _W, "A resource is requested or limited."),
    Rule("resource-request", _W, "A request is within the limit."),
    Rule("unknown-key", _W, "Keys of the manifest are spelt as in the specification."),
    Rule("unreleased-version", _W, "acVersion is a released version of the specification."),
    Rule("volume-key", _W, "Keys of a volume mean something for its kind."),
    Rule("more-warnings", _W, "There are at most a hundred warnings of a file."),
    # What the specification says SHOULD be.
    Rule("image-name", _W, "The name of an image is like a URL, so that it can be discovered."),
    Rule("mount-hides-files", _W, "No volume hides files of the image."),
    Rule("mount-overlap", _W, "Mount targets do not overlap."),
    Rule("port-protocol", _W, "The protocol of a port is a transport protocol."),
    # What bites at run time.
    Rule("device-node", _W, "The image leaves devices to the executor."),
    Rule("exec-format", _W, "What is executed is a program or a script."),
    Rule("exec-missing", _W, "What is executed is in the image."),
    Rule("exec-not-executable", _W, "What is executed may be executed by the app's user."),
    Rule("interpreter-missing", _W, "The interpreter of a script is in the image."),
    Rule("loader-missing", _W, "The loader of a program is in the image."),
    Rule("owner-unresolved", _W, "The user and the group of the app have numbers."),
    Rule("platform-mismatch", _W, "Programs are for the platform that the labels os and arch say."),
    Rule("platform-unlabelled", _W, "An image with a program for one machine says so in the labels os and arch."),
    Rule("setuid-file", _W, "No file gives its user the rights of another."),
    Rule("working-directory", _W, "The working directory is there."),
    Rule("world-writable", _W, "No file can be written by everybody, and no directory without the sticky bit."),
)
