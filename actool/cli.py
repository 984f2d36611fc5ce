"""The command line of actool: its subcommands, and the exit code."""

from __future__ import annotations

import sys

from acspec.commands import run_command
from acspec.errors import UsageError
from acspec.program import Unwinding, run_program

COMMANDS = {
    "build": "actool.command_build:build_command",
    "validate": "actool.command_validate:validate_command",
    "cat-manifest": "actool.command_read:cat_manifest_command",
    "id": "actool.command_read:id_command",
    "cat": "actool.command_cat:cat_command",
    "ls": "actool.command_ls:ls_command",
    "diff": "actool.command_diff:diff_command",
    "verify-repro": "actool.command_repro:verify_repro_command",
    "extract": "actool.command_extract:extract_command",
    "patch-manifest": "actool.command_patch:patch_manifest_command",
    "init": "actool.command_init:init_command",
    "sign": "actool.command_sign:sign_command",
    "verify": "actool.command_verify:verify_command",
    "encrypt": "actool.command_encryption:encrypt_command",
    "decrypt": "actool.command_encryption:decrypt_command",
    "render": "actool.command_render:render_command",
}
# The words of other tools that make and look into images.
_ELSEWHERE = {
    "begin": "actool init", "copy": "acfetch --output FILE", "create": "actool build", "discover": "acfetch discover",
    "fetch": "acfetch", "images": "acfetch images", "inspect": "actool cat-manifest --pretty-print",
    "label": "actool patch-manifest", "new": "actool init", "pack": "actool build", "pull": "acfetch", "repack": "actool build",
    "rm": "acfetch images rm", "rmi": "acfetch images rm", "run": "acrun", "show": "actool cat-manifest --pretty-print",
    "tag": "actool patch-manifest", "trust": "acfetch trust", "unpack": "actool extract", "version": "actool --version",
}  # fmt: skip
_SUMMARY = "Build, validate, inspect, change and sign App Container Images."


def main() -> int:
    """Run actool with the words of the command line and return its exit code.

    Source: spec/exit-codes.md.
    """
    return run_program("actool", _main)


def _main() -> int:
    if meant := _ELSEWHERE.get("".join(sys.argv[1:2])):
        raise UsageError(sys.argv[1], "no such command", f"did you mean {meant}?")
    with Unwinding():
        return run_command("actool", _SUMMARY, COMMANDS, sys.argv[1:])
