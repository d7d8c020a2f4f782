"""Content codings undone within a limit: what gzip and deflate pack, as HTTP and S3's Content-Encoding name them."""

import zlib

from serving.errors import BodyTooLarge, MalformedRequest

WINDOWS = {  # zlib's `wbits` by content coding; 32: a header of gzip's or of zlib's own
    "gzip": 32 + zlib.MAX_WBITS,
    "x-gzip": 32 + zlib.MAX_WBITS,
    "deflate": 32 + zlib.MAX_WBITS,
}
RAW = -zlib.MAX_WBITS  # deflate without a header, as many send it
GZIP = b"\x1f\x8b\x08"  # how each member begins; several in a row are one whole (RFC 1952, section 2.2)
MOST_MEMBERS = 64  # in one body; what lies behind each is copied


def inflated(body: bytes, coding: str, limit: int) -> bytes:
    """What the bytes unpack to. Raises MalformedRequest, or BodyTooLarge where it is more than `limit` bytes."""
    # zlib's header and gzip's are told apart by zlib; that of neither begins a stream of raw deflate
    raw = coding == "deflate" and not (body[:1] == b"\x1f" or (body[:1] == b"\x78" and _checked(body)))
    decoder = zlib.decompressobj(RAW if raw else WINDOWS[coding])
    try:
        data = decoder.decompress(body, limit + 1)
        for _ in range(MOST_MEMBERS):
            if len(data) > limit or not decoder.unused_data.startswith(GZIP):
                break
            rest, decoder = decoder.unused_data, zlib.decompressobj(WINDOWS["gzip"])
            data += decoder.decompress(rest, limit + 1 - len(data))
    except zlib.error as error:
        raise MalformedRequest(f"Content-Encoding says {coding}, but the body is not {coding}") from error
    if len(data) > limit:
        raise BodyTooLarge(
            f"unpacked, the body has more than {limit:,} bytes: send a smaller image, or refer to one in S3"
        )
    if not decoder.eof or decoder.unused_data:
        raise MalformedRequest(f"Content-Encoding says {coding}, but the body is cut off or more than one whole of it")
    return data


def _checked(body: bytes) -> bool:
    return int.from_bytes(body[:2], "big") % 31 == 0  # RFC 1950, section 2.2: FCHECK
