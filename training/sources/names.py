"""What a name in a set of images says: a label, a part of a split, or something that a system left behind."""

import re
import unicodedata
from collections.abc import Iterable

from training.problems import Problem, Severity
from training.sources.listing import Part

SUFFIXES = {  # the names that promise an image, and the format they promise
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".avif": "AVIF",
    ".heic": "HEIC",
    ".heif": "HEIC",
    ".jp2": "JP2",
    ".pbm": "PNM",
    ".pgm": "PNM",
    ".ppm": "PNM",
    ".pnm": "PNM",
    ".tga": "TGA",
}
JUNK = {  # of macOS, Synology, Windows, QNAP, Linux and Python; what begins with a dot is hidden, and junk as well
    "__macosx",
    "@eadir",
    "#recycle",
    "@recycle",
    "$recycle.bin",
    "system volume information",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "lost+found",
    "__pycache__",
}
PART = re.compile(
    r"(?:(train(?:ing)?)|(val(?:id(?:at(?:e|ion))?)?)|(test(?:ing)?|evaluation))(?:[-_ ]?(?:set|data|images|split))?"
)
LINE_BREAKS = {"Cc", "Zl", "Zp"}  # Unicode's categories: control characters, line and paragraph separators


def is_junk(name: str) -> bool:
    return name.startswith(".") or name.casefold() in JUNK


def part_named(name: str) -> Part | None:
    """The part that a folder or a table's cell names: train, val, valid, validation, test, test_set …"""
    found = PART.fullmatch(name.strip().casefold())
    if not found:
        return None
    return Part.TRAIN if found[1] else Part.VALIDATION if found[2] else Part.TEST


def normalised(label: str) -> str:
    """One spelling of what people read as the same letters: macOS writes é as two characters, others as one."""
    return unicodedata.normalize("NFC", label)


def why_no_label(name: str) -> str | None:
    """Say why a name cannot be a line of the file of labels; None where it can."""
    if any(unicodedata.category(character) == "Cs" for character in name):  # how Python spells bytes that are no UTF-8
        return "it is not UTF-8"
    if any(unicodedata.category(character) in LINE_BREAKS for character in name):
        return "it holds a control character or a line break"
    return None if name.strip() else "it is blank"


def bad_labels(names: Iterable[str]) -> list[Problem]:
    """What is wrong with these labels' names, and which of them read as one.

    The rule is: one line of UTF-8 without control characters, and no two that differ only in Unicode form, in case, in
    white space or in characters that nobody sees.
    """
    alike: dict[str, str] = {}
    problems = []
    for name in sorted(names):
        spelled = name.encode(errors="backslashreplace").decode()
        if reason := why_no_label(name):
            detail = f"{spelled!r} cannot be a label: {reason}; rename it, in UTF-8 and on one line"
            problems.append(Problem(Severity.ERROR, "label", spelled, detail))
            continue
        first = alike.setdefault(_read_as(name), name)
        if first != name:
            detail = f"reads as {first!r} ({_difference(first, name)}): merge the two, or rename one"
            problems.append(Problem(Severity.ERROR, "alike", spelled, detail))
    return problems


def _read_as(name: str) -> str:
    seen = "".join(character for character in normalised(name) if unicodedata.category(character) != "Cf")
    return normalised(" ".join(seen.split()).casefold())


def _difference(one: str, other: str) -> str:
    if normalised(one) == normalised(other):
        return "the same letters in another Unicode form, NFC and NFD"
    if one.casefold() == other.casefold():
        return "the case differs"
    if "".join(one.split()).casefold() == "".join(other.split()).casefold():
        return "white space differs"
    return "they differ in what nobody sees"
