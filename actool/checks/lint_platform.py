"""The labels os and arch of an image beside the ELF files that are really in it.

Source: aci.md, labels: os, arch.
"""

from __future__ import annotations

from collections.abc import Iterator

from acspec.escape import escape
from acspec.image_manifest import ImageManifest
from acspec.labels import label_map
from actool.checks.elf import MACHINES, SYSTEMS, Machine, name_machine
from actool.checks.programs import Form, Program
from actool.checks.reports import Diagnostic, warning

_NO_ELF = "darwin"


class Platform:
    """What the labels of one image say, and whether programs agree with that."""

    def __init__(self, manifest: ImageManifest) -> None:
        labels = label_map(manifest.labels)
        self.os = labels.get("os", "")
        self.arch = labels.get("arch", "")
        self._missing = " and ".join(name for name, value in (("os", self.os), ("arch", self.arch)) if not value)

    def lint_program(self, path: bytes, program: Program, place: str) -> Iterator[Diagnostic]:
        """Return in which way the *program* at *path*, which the app executes, is for another platform than the labels say."""
        if program.form is not Form.ELF or program.machine is None:
            return
        system = SYSTEMS.get(program.abi)
        if self.os == _NO_ELF or (self.os and system and system != self.os):
            kind = f"a program for {system}" if system else "an ELF file"
            yield warning("platform-mismatch", f'"{escape(path)}" is {kind}, but label os is {self.os}', place=place)
        elif not self._fits(program.machine):
            why = f'"{escape(path)}" is a program for {name_machine(program.machine)}, but label arch is {self.arch}'
            yield warning("platform-mismatch", why, place=place)

    def lint_unlabelled(self, path: bytes, program: Program) -> Iterator[Diagnostic]:
        """Return whether the image claims to run anywhere, although what the app executes does not."""
        if self._missing and program.form is Form.ELF and program.machine is not None:
            machine = name_machine(program.machine)
            why = f'without {self._missing} the image is for any machine, but "{escape(path)}" is a program for {machine}'
            yield warning("platform-unlabelled", why, place="labels")

    def lint_all(self, machines: dict[Machine, tuple[int, bytes]]) -> Iterator[Diagnostic]:
        """Return whether there are programs in the image, and none of them for the machine of label arch.

        Some for others are no reason to say anything: prebuilt libraries and cross compilers look like that.
        """
        if machines and not any(self._fits(machine) for machine in machines):
            machine, (count, first) = max(machines.items(), key=lambda item: item[1][0])
            others = ", as is one other" if count == 2 else f", as are {count - 1:,} others" if count > 2 else ""
            why = f"is a program for {name_machine(machine)}{others}, and none is for {self.arch}, the label arch"
            yield warning("platform-mismatch", why, entry=first)

    def _fits(self, machine: Machine) -> bool:
        wanted = MACHINES.get(self.arch)
        return wanted is None or machine == wanted
