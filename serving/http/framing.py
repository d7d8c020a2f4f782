"""Where a request ends in the bytes that have come (RFC 9112). It judges nothing: what is malformed counts as whole, for gunicorn's
own parser to refuse."""

import re

END_OF_HEAD = b"\r\n\r\n"
BLANK_LINE = b"\r\n"
MAX_HEAD = 64 * 2**10  # bytes; as much as a load balancer of AWS lets through
MAX_LINE = 8192  # bytes of a chunk's size with its extensions, and of what follows the last chunk
MIN_CHUNK = 64  # bytes; of chunks that are smaller on average, each of which costs as much work as a large one …
FREE_CHUNKS = 500  # … so many are taken
FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|expect)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
LENGTH = re.compile(rb"0*[0-9]{1,15}")  # Python refuses to read a number of more than 4,300 digits
CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(;.*)?", re.DOTALL)


class Frame:
    """One request as it comes; what has come of the next one lies behind it."""

    def __init__(self, max_body: int) -> None:
        self.data = bytearray()
        self.whole = False
        self.cut = (
            False  # no more of it is wanted: it is malformed or too large, and the connection ends with its answer
        )
        self.head = 0  # bytes of the head; 0: it is not whole yet
        self.expects = False  # the client waits for "100 Continue" before it sends the body
        self._max_body = max_body
        self._blank = False  # an empty line came before it, which older clients send behind a body
        self._end: int | None = None  # where the body ends, if its length is known
        self._chunk = 0  # where the next chunk's size stands
        self._chunks = 0  # how many have come

    def add(self, data: bytes | memoryview) -> None:
        searched = max(0, len(self.data) - len(END_OF_HEAD) + 1)
        self.data += data
        if not self.head and not self._blank and self.data.startswith(BLANK_LINE):
            self._blank, searched = True, 0
            del self.data[: len(BLANK_LINE)]
        if not self.head:
            self._find_head(searched)
        if self.head and not self.whole:
            self.whole = self._ends()

    def _find_head(self, searched: int) -> None:
        found = self.data.find(END_OF_HEAD, searched)
        if found < 0:
            if len(self.data) > MAX_HEAD:
                self.whole = self.cut = True
            return
        self.head = found + len(END_OF_HEAD)
        fields: dict[bytes, list[bytes]] = {}
        for name, value in FIELD.findall(bytes(self.data[:found])):
            fields.setdefault(name.lower(), []).append(value.strip().lower())
        self.expects = b"100-continue" in fields.get(b"expect", [])
        lengths = fields.get(b"content-length", [])
        codings = b",".join(fields.get(b"transfer-encoding", [])).replace(b" ", b"").replace(b"\t", b"").split(b",")
        endless = set(codings) - {b"", b"identity"}  # a coding of which no end can be told
        if codings[-1] == b"chunked":
            self._chunk = self.head
        elif endless or len(lengths) > 1 or (lengths and not LENGTH.fullmatch(lengths[0])):
            self.whole = self.cut = True
        else:
            length = int(lengths[0].lstrip(b"0") or b"0") if lengths else 0
            if length > self._max_body:
                self.whole = self.cut = True
            else:
                self._end = self.head + length

    def _ends(self) -> bool:
        if self._end is not None:
            return len(self.data) >= self._end
        if len(self.data) - self.head > self._max_body + MAX_HEAD:
            self.cut = True
            return True
        return self._chunks_end()

    def _chunks_end(self) -> bool:
        while True:
            line_end = self.data.find(b"\r\n", self._chunk)
            if line_end < 0:
                rest = self.data[self._chunk : self._chunk + MAX_LINE + 1]
                self.cut = len(rest) > MAX_LINE or b"\n" in rest
                return self.cut
            line = bytes(self.data[self._chunk : line_end])
            if not CHUNK_SIZE.fullmatch(line):
                self.cut = True
                return True
            size = int(line.partition(b";")[0], 16)
            if size == 0:
                return self._trailers_end(line_end)
            self._chunk = line_end + 2 + size + 2
            self._chunks += 1
            if self._chunks > FREE_CHUNKS + self._chunk // MIN_CHUNK:
                self.cut = True
                return True
            if self._chunk > len(self.data):
                return False

    def _trailers_end(self, line_end: int) -> bool:
        # after the last chunk come fields, or none, and an empty line
        if self.data.find(END_OF_HEAD, line_end) >= 0:
            return True
        self.cut = len(self.data) - line_end > MAX_LINE
        return self.cut
