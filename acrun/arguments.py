"""The command line of a run, cut apart: `[POD OPTIONS] IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]`.

Pod options are Typer's, who stops at the first word that is no option; everything from there on comes here. No option is
interpreted here, and no image is looked for.

Source: docs/man/acrun.1, Synopsis.
"""

from __future__ import annotations

from acspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SEPARATOR = "---"
STANDARD_INPUT = "-"
_BETWEEN = "acrun IMAGE --- IMAGE runs both"
_BEHIND = "acrun IMAGE -- ARGS; acrun IMAGE --exec PROGRAM -- ARGS runs another program"


class ImageArgument:
    """One image of the command line with the words that belong to it: options for its app, arguments for its program."""

    __slots__ = ("arguments", "image", "options")

    def __init__(self, image: str, options: Sequence[str] = (), arguments: Sequence[str] = ()) -> None:
        self.image = image
        self.options = tuple(options)
        self.arguments = tuple(arguments)


def split_images(words: Sequence[str]) -> list[ImageArgument]:
    """Return the images that *words* name, each with its app options and arguments.

    Raises: UsageError when a piece has no image.
    """
    pieces: list[list[str]] = [[]]
    for word in words:
        if word == SEPARATOR:
            pieces.append([])
        else:
            pieces[-1].append(word)
    return [_image_argument(piece) for piece in pieces] if words else []


def _image_argument(piece: Sequence[str]) -> ImageArgument:
    before, after = list(piece), []
    if "--" in before:
        cut = before.index("--")
        before, after = before[:cut], before[cut + 1 :]
    if not before and after:
        raise UsageError("--", "no image stands before it", "acrun IMAGE -- ARGS; for images from standard input: acrun - -- ARGS")
    if not before:
        raise UsageError(SEPARATOR, "no image stands before or behind it", "acrun IMAGE [APP OPTIONS] [-- ARGS] [--- IMAGE …]")
    image, *options = before
    if image.startswith("-") and image != STANDARD_INPUT:
        raise UsageError(image, "an image must come before the options of its app")
    if options and not options[0].startswith("-"):
        from acrun.errors import MisplacedError

        hint = _BETWEEN if _is_like_an_image(options[0]) else _BEHIND
        raise MisplacedError(options[0], f"is neither an option of {image} nor behind --", hint)
    return ImageArgument(image, options, after)


def _is_like_an_image(word: str) -> bool:
    """Tell whether a word has the form of an image: a file, an image ID, or a name that begins with a domain."""
    domain, slash, _ = word.partition("/")
    return word.endswith(".aci") or word.startswith("sha512-") or bool(slash and "." in domain.strip("."))


def cut_arguments(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return *words* up to the first `--`, and the arguments behind it, which are the last app's; nothing where more images follow.

    Options are read from left to right: where the words that are returned name images, they mean the same with any arguments.
    """
    cut = words.index("--") if "--" in words else len(words)
    return ([], []) if SEPARATOR in words[cut:] else (list(words[:cut]), list(words[cut + 1 :]))


def name_images_alone(words: Sequence[str]) -> bool:
    """Tell whether *words*, from the first image on, name all images, so that standard input is not asked for any."""
    before, _ = cut_arguments(words)
    return bool(before) and STANDARD_INPUT not in before


def has_options(words: Sequence[str]) -> bool:
    """Tell whether a command line holds any option, so that without one no option parser need be imported."""
    in_arguments = False
    for word in words:
        if word == SEPARATOR:
            in_arguments = False
        elif word == "--":
            in_arguments = True
        elif not in_arguments and word.startswith("-") and word != STANDARD_INPUT:
            return True
    return False
