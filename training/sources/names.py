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
ARCHIVES = {".zip", ".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz", ".zst", ".7z", ".rar"}
NOT_UNPACKED = "an archive, which is not unpacked here: unpack it if it holds images, or give it by itself"
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
PART = (  # the words for train, validation and test
    r"(?:(train(?:ing|val)?|trn)|(val(?:id(?:at(?:e|ion))?)?|dev)|(test(?:ing)?|tst|eval(?:uation)?|holdout))"
    r"(?:[-_ ]?(?:set|data|images|split))?"
)
PART_WITHIN = re.compile(rf"(?<![^\W\d_]){PART}(?![^\W\d_])")  # beside digits and signs: seg_train, train2017
UNSEEN = re.compile(  # Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt, and interlinear annotation
    "(\U0001f3f4[\U000e0020-\U000e007f]+)"  # kept: the tags that make one black flag England's, another Scotland's
    "|[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
BLANK = re.compile(
    "[\u115f\u1160\u2800\u3164\uffa0]"
)  # Hangul's fillers, an empty pattern of Braille: a space, or nothing
LINE_BREAKS = {"Cc", "Zl", "Zp"}  # Unicode's categories: control characters, line and paragraph separators


def is_junk(name: str) -> bool:
    return name.startswith(".") or name.casefold() in JUNK


def part_named(name: str) -> Part | None:
    """The part that a folder or a table's cell names: train, val, valid, validation, test, test_set …"""
    found = re.fullmatch(PART, name.strip().casefold())
    return _part(found) if found else None


def part_within(name: str) -> Part | None:
    """The one part that a name has a word for, among others: seg_train, train2017, 1_train …"""
    parts = {_part(found) for found in PART_WITHIN.finditer(name.casefold())}
    return parts.pop() if len(parts) == 1 else None


def _part(found: re.Match[str]) -> Part:
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
    return None if any(_read_as(name)) else "it is blank"


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
        readings = _read_as(name)
        first = next((alike[reading] for reading in readings if reading in alike), None)
        alike |= dict.fromkeys(readings, first or name)
        if first:
            detail = f"reads as {first!r} ({_difference(first, name)}): merge the two, or rename one"
            problems.append(Problem(Severity.ERROR, "alike", spelled, detail))
    return problems


def _read_as(name: str) -> list[str]:
    """What people may take it for: fonts show some characters as a space or not at all."""
    shown = (UNSEEN.sub(r"\1", BLANK.sub(blank, normalised(name))) for blank in ("", " "))
    return [normalised(" ".join(text.split()).casefold()) for text in shown]


def _difference(one: str, other: str) -> str:
    if normalised(one) == normalised(other):
        return "the same letters in another Unicode form, NFC and NFD"
    if one.casefold() == other.casefold():
        return "the case differs"
    if "".join(one.split()).casefold() == "".join(other.split()).casefold():
        return "white space differs"
    return "they differ in what nobody sees"
