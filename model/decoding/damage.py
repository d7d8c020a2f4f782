"""What a decoder mended silently: for training, which can ask its user for a better file. Serving never asks.

libjpeg goes on where bits are lost, and fills what it cannot tell with grey or with another picture's pixels. Pillow drops
its warnings; simplejpeg, which is installed with training, keeps them. What is missing from files of other formats is told
by incomplete. Nothing is told of WebP: zeros in its coded data may be damage, and are what a white wall is coded as.
"""

import re

from model.decoding.formats import image_format

EOI = b"\xff\xd9"
EXTRANEOUS = re.compile(r"(\d+) extraneous bytes before marker 0x(..)")
LEAST_WORK = {  # bits are read all the same; what is lost is found by reading them, and the pixels are not needed
    "min_height": 1,
    "min_width": 1,
    "colorspace": "gray",
    "fastdct": True,
    "fastupsample": True,
}
PADDING = 64  # extraneous bytes that some cameras leave before a segment or the end, and that mean nothing
RESTARTS = {f"d{i:x}" for i in range(8)}  # markers within a scan: no encoder leaves anything before one


def damage_of(data: bytes) -> str | None:
    """Say what is damaged in an image that decodes all the same, of a JPEG in libjpeg's words; None where nothing is known to be."""
    format = image_format(data)
    if format == "JPEG":
        from model.decoding.scans import has_all_scans

        found = damage_of_jpeg(data)
        return found if found or has_all_scans(data) else "scans are missing"
    from model.decoding import incomplete

    if format == "PNG":
        return incomplete.missing_from_png(data)
    if format == "TIFF":
        return incomplete.missing_from_tiff(data, damage_of_jpeg)
    return incomplete.missing_from_boxes(data) if format in {"AVIF", "HEIC"} else None


def damage_of_jpeg(data: bytes) -> str | None:
    found = _found(data)
    if found and data.endswith(b"\0"):  # of a file that was given more room than it needed, and has no end
        return _found(data.rstrip(b"\0\xff"))
    return found


def _found(data: bytes) -> str | None:
    from model.decoding.scans import has_hole, without_gaps

    whole = data if data.endswith(EOI) else data.rstrip(b"\xff") + EOI
    warning = _warning(whole)
    if EXTRANEOUS.search(warning) and (plain := without_gaps(whole)) is not whole:
        warning = _warning(plain)  # libjpeg's first warning is the only one that is told: it may hide others
    return _damage(warning) or ("its scan holds a run of zeros that is no code" if has_hole(data) else None)


def _warning(whole: bytes) -> str:
    import simplejpeg

    try:
        simplejpeg.decode_jpeg(whole, strict=True, **LEAST_WORK)
    except ValueError as warning:
        return str(warning)
    return ""


def _damage(warning: str) -> str | None:
    extraneous = EXTRANEOUS.search(warning)
    padding = extraneous and int(extraneous[1]) <= PADDING and extraneous[2] not in RESTARTS
    if "Corrupt JPEG data" not in warning or padding:
        return None  # no damage: a kind of JPEG that simplejpeg does not read
    return warning.partition("Corrupt JPEG data: ")[2]
