"""What the scans of a JPEG lack, or hold instead of a picture, though libjpeg decodes them without a word (ITU-T T.81, annex B)."""

from collections.abc import Iterator

from model.decoding.jpeg import DHT, LATER, MOST_SCANS, SOF, SOS, Segment, segments_of

SEQUENTIAL = {0xC0, 0xC1}  # frames whose scans hold whole coefficients
HOLE = bytes(64)  # more zeros than any code but a flat surface's has


def has_all_scans(data: bytes) -> bool:
    """Say whether the scans that have begun hold every bit of every coefficient (ITU-T T.81, table B.3)."""
    segments = list(segments_of(data))
    frame = next(s for s in segments if s.marker in SOF)
    left = {data[at]: 2**64 - 1 for at in range(frame.start + 10, frame.end, 3)}  # component → bits: its coefficients
    position = segments[-1].start
    for _ in range(MOST_SCANS):
        components = data[position + 4]
        names = data[position + 5 : position + 5 + 2 * components : 2]
        first, last, bits = data[position + 5 + 2 * components : position + 8 + 2 * components].ljust(3, b"\xff")
        if frame.marker in SEQUENTIAL:  # whatever it says: libjpeg does not look at it either
            first, last, bits = 0, 63, 0
        if bits & 15 == 0 and first <= last:  # the last bit
            for name in left.keys() & set(names):
                left[name] &= ~(2 ** (last + 1) - 2**first)
        if not any(left.values()):
            return True
        position = data.find(b"\xff\xda", position + 2, len(data) - 4)
        if position < 0:
            break
    return False


def without_gaps(data: bytes) -> bytes:
    """Return the file without what stands between its segments and belongs to none."""
    segments = list(segments_of(data))
    if not any(s.gap for s in segments) or segments[-1].marker != SOS:
        return data
    return data[:2] + b"".join(data[s.start : s.end] for s in segments) + data[segments[-1].end :]


def has_hole(data: bytes) -> bool:
    """Say whether a sequential picture's first scan holds zeros that its tables make hundreds of equal coefficients.

    Where the shortest codes end a block, zeros may as well be a flat surface: nothing is said of them.
    """
    last = data.rfind(HOLE)
    segments = list(segments_of(data)) if last >= 0 else []
    if not segments or segments[-1].marker != SOS or last < segments[-1].end:
        return False
    scan = segments[-1]
    codes = {name: code for s in segments if s.marker == DHT for name, code in _shortest_codes(data, s)}
    used = {data[scan.start + 6 + 2 * i] & 15 for i in range(data[scan.start + 4])}
    if not any(s.marker in SEQUENTIAL for s in segments) or not any(codes.get(name) for name in used):
        return False
    end = LATER.search(data, scan.end)
    return data.find(HOLE, scan.end, end.start() if end else len(data)) >= 0


def _shortest_codes(data: bytes, segment: Segment) -> Iterator[tuple[int, int]]:
    """Yield each table of coefficients, and what zeros mean in it: a run and a size, or 0 for the end of a block.

    See ITU-T T.81, B.2.4.2.
    """
    at = segment.start + 4
    while at + 17 < segment.end:
        if data[at] >> 4:  # 0: a table of differences between blocks
            yield data[at] & 15, data[at + 17]
        at += 17 + sum(data[at + 1 : at + 17])
