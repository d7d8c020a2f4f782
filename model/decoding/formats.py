"""Which format the bytes are of: their first bytes decide, never a file's name or a header."""

import re
from collections.abc import Callable

from model.errors import UnreadFormat, UnsupportedImage

FORMATS = {  # format → the class that reads it; imported when the first such image arrives
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "HEIC": ("pi_heif", "HeifImageFile"),
    "JP2": ("PIL.Jpeg2KImagePlugin", "Jpeg2KImageFile"),
    "PNM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "TGA": ("PIL.TgaImagePlugin", "TgaImageFile"),
}
MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JP2",
    b"\xff\x4f\xff\x51": "JP2",
}
NETPBM = re.compile(rb"P[1-6f](?:\s+[\d#]|#)")  # a comment may follow at once
ISO_BRANDS = {  # of an ISO base media file (ISO/IEC 23008-12, AV1 Image File Format)
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"hevc": "HEIC",
    b"hevx": "HEIC",
    b"heim": "HEIC",
    b"heis": "HEIC",
    b"mif1": "HEIC",  # these three hold any codec: a more specific brand beside them decides, then what is coded inside
    b"msf1": "HEIC",
    b"miaf": "AVIF",
}
STRUCTURAL = {b"mif1", b"msf1", b"miaf"}
CODECS = {b"av01": "AVIF", b"hvc1": "HEIC", b"hev1": "HEIC"}  # types of items and of sequences' samples
CODEC = rb"(?s)(?:infe[\x02\x03]...(?:..|....)..|stsd.{12})(av01|hvc1|hev1|avc1|vvc1|evc1|j2k1|jpeg|unci)"
MOST_NAMED = 2**16  # bytes that the types of items lie in

UNREAD = {  # images, but not for us: named, so that nobody takes one for a broken file or for no image
    b"8BPS": "Photoshop (PSD)",
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\1\0": "Windows icon (ICO)",
    b"\0\0\2\0": "Windows cursor (CUR)",
    b"icns": "Apple icon (ICNS)",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance HDR",
    b"DDS ": "DirectDraw surface (DDS)",
    b"qoif": "QOI",
    b"gimp xcf": "GIMP (XCF)",
    b"SIMPLE  =": "FITS",
    b"II\xbc\x01": "JPEG XR",
    b"AT&TFORM": "DjVu",
    b"BPG\xfb": "BPG",
    b"FLIF": "FLIF",
    b"FUJIFILMCCD-RAW": "Fujifilm raw (RAF)",
    b"IIU\0": "Panasonic raw (RW2)",
    b"IIRO": "Olympus raw (ORF)",
    b"IIRS": "Olympus raw (ORF)",
    b"MMOR": "Olympus raw (ORF)",
    b"FOVb": "Sigma raw (X3F)",
    b"II\x1a\0\0\0HEAPCCDR": "Canon raw (CRW)",
    b"\0MRM": "Minolta raw (MRW)",
    b"\x01\xda": "Silicon Graphics (SGI)",
    b"\x59\xa6\x6a\x95": "Sun raster",
    b"\xd7\xcd\xc6\x9a": "Windows metafile (WMF)",
    b"P7\n": "PAM",
    b"/* XPM */": "XPM",
    b"\x0a\x05\x01": "PCX",
    b"\x8aMNG\r\n\x1a\n": "MNG",
    b"\x8bJNG\r\n\x1a\n": "JNG",
    b"\xc5\xd0\xd3\xc6": "Encapsulated PostScript (EPS)",
}
PFM = rb"PF\s+\d+\s+\d+\s+-?[\d.]"  # these are compiled when they are needed, which nearly never is
EPS = rb"%!PS-Adobe-\d\.\d EPSF"
XBM = rb"(?s)(?>\s|/\*.*?\*/)*+#define\s+\w*width\s+\d+\s+#define\s+\w*height\s+\d"


def _shown(beginning: bytes) -> str:
    """Write the first bytes for a person: as text where they are text."""
    text = beginning.decode("ascii", "replace")
    return repr(text) if text.isprintable() and "\ufffd" not in text else f"the bytes {beginning.hex(' ')}"


def image_format(data: bytes) -> str:
    """Name the format by its first bytes.

    Raises UnreadFormat where they are of an image of another one, UnsupportedImage where they are of none we know.
    """
    if not data:
        raise UnsupportedImage("the image is empty (0 bytes)")
    found = _read_format(data) or ("TGA" if is_tga(data) else None)
    if found:
        return found
    other = _unread_format(data)
    if other:
        raise UnreadFormat(f"this is an image of the format {other}, which is not read: {_send()}")
    raise UnsupportedImage(f"not an image that can be read: it begins with {_shown(data[:8])}; {_send()}")


def _send() -> str:
    return f"send {', '.join(FORMATS)} (the content decides, not the name)"


def _read_format(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _iso_format(data)
    if NETPBM.match(data[:64]):
        return "PNM"
    if data[8:10] == b"CR" and data[:4] == b"II*\0":
        return None
    return next((name for magic, name in MAGIC.items() if data.startswith(magic)), None)


def _iso_format(data: bytes) -> str | None:
    """Name the codec by the major brand; where that names a structure only, by the compatible brands, or by its items."""
    major, *others = iso_brands(data)
    known = [brand for brand in (major, *others) if brand in ISO_BRANDS]
    specific = [brand for brand in known if brand not in STRUCTURAL]
    if major not in ISO_BRANDS and not specific:
        return None
    coded = None if specific else re.search(CODEC, data[:MOST_NAMED])
    return CODECS.get(coded[1]) if coded else ISO_BRANDS[(specific or known)[0]]


def iso_brands(data: bytes) -> list[bytes]:
    """Return the major brand, and the compatible ones after it."""
    end = min(int.from_bytes(data[:4]), 8 + 4 * 64, len(data))
    return [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]


def _unread_format(data: bytes) -> str | None:
    for magic, name in UNREAD.items():
        if data.startswith(magic):
            return name
    others: list[tuple[Callable[[], bool], str]] = [
        (lambda: data[8:10] == b"CR" and data[:4] == b"II*\0", "Canon raw (CR2)"),
        (lambda: data[4:11] == b"ftypcrx", "Canon raw (CR3)"),
        (lambda: data[4:8] == b"ftyp", "video, or of a codec that is not read (ISO base media)"),
        (lambda: data[128:132] == b"DICM", "DICOM"),
        (lambda: re.match(PFM, data[:256]) is not None, "colour PFM"),
        (lambda: re.match(EPS, data) is not None, "Encapsulated PostScript (EPS)"),
        (lambda: data[:4] == b"\1\0\0\0" and data[40:44] == b" EMF", "Windows metafile (EMF)"),
        (lambda: re.match(XBM, data[:4096]) is not None, "X bitmap (XBM)"),
        (lambda: _is_wbmp(data), "Wireless bitmap (WBMP)"),
        (lambda: b"<svg" in data[:4096].lower(), "SVG"),
        (lambda: data[:4] == b"RIFF" and data[8:12] == b"AVI ", "video (AVI)"),
    ]
    return next((name for holds, name in others if holds()), None)


def _is_wbmp(data: bytes) -> bool:
    """Say whether two zeros, a width and a height of 7 bits a byte, and just so many rows of bits make up the file."""
    sizes = re.match(rb"\0\0([\x80-\xff]{0,2}[\0-\x7f])([\x80-\xff]{0,2}[\0-\x7f])", data)
    if not sizes:
        return False
    width, height = (sum((byte & 127) << 7 * i for i, byte in enumerate(reversed(size))) for size in sizes.groups())
    pixels: int = -(-width // 8) * height
    return pixels > 0 and len(data) == sizes.end() + pixels


def is_tga(data: bytes) -> bool:
    """Say whether this is a TGA: by its footer, or, in files of 1984's version, by a header in which every field holds."""
    if len(data) < 19 or data[1] > 1 or data[2] not in {1, 2, 3, 9, 10, 11}:
        return False
    if data.endswith(b"TRUEVISION-XFILE.\0"):
        return True
    width, height, bits = int.from_bytes(data[12:14], "little"), int.from_bytes(data[14:16], "little"), data[16]
    colours = int.from_bytes(data[5:7], "little") * ((data[7] + 7) // 8)
    mapped = data[1] == 1
    fits = mapped == (data[2] in {1, 9}) and bits in ({8} if mapped or data[2] in {3, 11} else {16, 24, 32})
    plausible = fits and data[17] & 0xC0 == 0 and width > 0 and height > 0 and (mapped or not any(data[3:8]))
    packed = data[2] >= 9
    pixels = 18 + data[0] + colours + width * height * bits // 8
    return plausible and (packed or len(data) == pixels)
