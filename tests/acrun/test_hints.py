"""Commands that were meant, by what went wrong with the image that they were taken for."""

from __future__ import annotations

import pytest

from acrun.cli import COMMANDS
from acrun.command_app_options import app_options
from acrun.command_options import option_names
from acrun.command_run_options import run
from acrun.errors import MisplacedError
from acrun.hints import advise, advise_on_option
from acspec.errors import FormatError, ImageNotFoundError, MissingInputError, UsageError

NOT_STORED = ImageNotFoundError("ps", "not in the store", "acfetch ps")

# What went wrong, the words typed, the hint (None: nothing comes to mind).
SLIPS = {
    "a word of other tools": (NOT_STORED, ["ps"], "did you mean acrun list?"),
    "a slip of the finger": (ImageNotFoundError("lits", "x"), ["lits"], "did you mean acrun list?"),
    "an argument of a command": (MisplacedError("web", "x"), ["exec", "web"], "did you mean acrun enter?"),
    "an option of a command": (UsageError("-n", "no such option"), ["exec", "-n", "web"], "did you mean acrun enter?"),
    "a word of systemd's": (MisplacedError("web", "x"), ["poweroff", "web"], "did you mean acrun stop?"),
    "two words of other tools": (MisplacedError("gc", "x"), ["image", "gc"], "did you mean acfetch gc?"),
    "an argument of a slip": (MisplacedError("web", "x"), ["satus", "web"], "did you mean acrun status?"),
    "an argument of a word like no command": (MisplacedError("web", "x"), ["pause", "web"], "acrun --help shows the commands"),
    "an argument of an image": (MisplacedError("sh", "x"), ["./x.aci", "sh"], None),
    "a name like no command": (ImageNotFoundError("hello", "x"), ["hello"], None),
    "a damaged image with the name of a command elsewhere": (FormatError("ps", "x"), ["ps"], None),
    "a fault of another word": (UsageError("--env A", "x"), ["ps", "--env", "A"], None),
    "a volume that is not there": (MissingInputError("/nope", "x"), ["start"], None),
    "an image behind run": (ImageNotFoundError("ps", "x"), ["run", "ps"], None),
    "a command behind an option": (ImageNotFoundError("list", "x"), ["--dir", "d", "list"], "acrun list …"),
    "no words": (ImageNotFoundError("ps", "x"), [], None),
}


@pytest.mark.parametrize("title", SLIPS)
def test_a_command_that_may_have_been_meant_is_the_hint(title: str) -> None:
    fault, words, hint = SLIPS[title]
    advice = advise(fault, words, COMMANDS)
    assert (advice.hint if advice is not None else None) == hint


def test_what_went_wrong_stays_as_it_was() -> None:
    assert str(advise(NOT_STORED, ["ps"], COMMANDS)) == "ps: not in the store (did you mean acrun list?)"


OPTIONS = {
    "--entrypoint": "--exec, behind the image",
    "--network": "a pod has no network but its loopback",
    "-m": "--memory",
    "--bind": "--volume SOURCE:TARGET",
    "--dns-search": "--volume ./resolv.conf:/etc/resolv.conf:ro mounts a file of your own",
    "--pod-manifest": "--pod",
    "--nothing-like-it": None,
    "-f": None,
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_other_tools_brings_ours_to_mind(option: str) -> None:
    advice = advise_on_option(UsageError(option, "no such option", "--help shows the options"))
    assert (advice.hint if advice is not None else None) == OPTIONS[option]


OF_COMMANDS = {
    "list --all": "all pods are shown; --state STATE shows some",
    "rm -f": "acrun stop --force POD ends it before",
    "stop -t": "acrun run --grace-period TIME IMAGE says how long",
    "status --uuid-file": "a UUID out of a file: $(cat FILE)",
    "run-prepared --net": "a pod has no network but its loopback",
    "stop --all": "acrun list --quiet --state running | xargs -r acrun stop",
    "logs -f": None,
    "stop --network": None,
}


@pytest.mark.parametrize("words", OF_COMMANDS)
def test_an_option_that_a_command_has_elsewhere_brings_to_mind_what_is_done_here(words: str) -> None:
    command, option = words.split()
    advice = advise_on_option(UsageError(option, "no such option"), command)
    assert (advice.hint if advice is not None else None) == OF_COMMANDS[words]


def test_an_option_that_is_ours_and_is_wrong_otherwise_has_no_advice() -> None:
    assert advise_on_option(UsageError("-m", "not a quantity")) is None


def test_no_option_is_ours_and_said_to_be_called_otherwise() -> None:
    """A hint for an option that there is would never be seen."""
    taken = option_names(run) | option_names(app_options)
    assert [option for option in taken if advise_on_option(UsageError(option, "no such option")) is not None] == []
