"""Google Cloud Storage's XML API, as far as obstore speaks it, with the conditions that Google documents; kept in memory.

No emulator that can be installed heeds x-goog-if-generation-match, so this shows what is sent and what is made of the documented
answers, not what Google answers. Sources: docs.cloud.google.com/storage/docs/xml-api/reference-headers, …/put-object-upload,
…/get-object-download, …/request-preconditions.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Stored:
    data: bytes
    generation: int

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.data).hexdigest()}"'


@dataclass
class GoogleStorage:
    buckets: set[str] = field(default_factory=set)
    objects: dict[tuple[str, str], Stored] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)  # of uploads in parts, by upload and number
    url: str = ""
    _lock: Any = field(default_factory=Lock)
    _generation: int = 1_700_000_000_000_000

    @contextmanager
    def serve(self) -> Iterator["GoogleStorage"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"storage": self}))
        self.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def put(self, place: tuple[str, str], data: bytes, unless: str | None) -> Stored | None:
        """None where the condition does not hold: 0 stands for no object at all."""
        with self._lock:
            there = self.objects.get(place)
            if unless is not None and int(unless) != (there.generation if there else 0):
                return None
            self._generation += 1
            self.objects[place] = Stored(data, self._generation)
            return self.objects[place]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    storage: GoogleStorage

    def handle_one(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length)
        address = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        bucket, _, key = address.path.removeprefix("/").partition("/")
        bucket = unquote(bucket)
        self.place = bucket, unquote(key)
        if bucket not in self.storage.buckets:
            self.refuse(404, "NoSuchBucket")
        elif self.command == "PUT" and "partNumber" in self.query:
            self.storage.parts[self.query["uploadId"], int(self.query["partNumber"])] = self.body
            self.answer(200, {"ETag": Stored(self.body, 0).etag})
        elif self.command == "PUT":
            self.store(self.body)
        elif self.command == "POST":
            self.in_parts()
        elif "list-type" in self.query:
            self.list()
        elif self.command == "DELETE":
            self.answer(204) if self.storage.objects.pop(self.place, None) else self.refuse(404, "NoSuchKey")
        else:
            self.read()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_one  # noqa: N815 - http.server's names

    def store(self, data: bytes) -> None:
        stored = self.storage.put(self.place, data, self.headers.get("x-goog-if-generation-match"))
        if stored is None:
            self.refuse(412, "PreconditionFailed")
        else:
            self.answer(200, {"ETag": stored.etag, "x-goog-generation": str(stored.generation)})

    def in_parts(self) -> None:
        if "uploads" in self.query:
            id = f"{'/'.join(self.place)}-{len(self.storage.parts)}"
            self.xml("InitiateMultipartUploadResult", f"<UploadId>{escape(id)}</UploadId>")
            return
        id = self.query["uploadId"]
        data = b"".join(self.storage.parts[part] for part in sorted(self.storage.parts) if part[0] == id)
        stored = self.storage.put(self.place, data, None)
        assert stored
        self.xml("CompleteMultipartUploadResult", f"<ETag>{escape(stored.etag)}</ETag>", stored)

    def list(self) -> None:
        found = sorted(
            (key, stored)
            for (bucket, key), stored in list(self.storage.objects.items())
            if bucket == self.place[0] and key.startswith(self.query.get("prefix", ""))
        )
        self.xml(
            "ListBucketResult",
            "".join(
                f"<Contents><Key>{escape(key)}</Key><Size>{len(stored.data)}</Size><ETag>{escape(stored.etag)}</ETag>"
                "<LastModified>2026-11-28T00:00:00.000Z</LastModified></Contents>"
                for key, stored in found
            ),
        )

    def read(self) -> None:
        stored = self.storage.objects.get(self.place)
        if stored is None or self.query.get("generation", str(stored.generation)) != str(stored.generation):
            self.refuse(404, "NoSuchKey")
            return
        facts = {"ETag": stored.etag, "x-goog-generation": str(stored.generation)}
        self.answer(200, facts | {"Last-Modified": formatdate(0, usegmt=True)}, stored.data)

    def xml(self, name: str, inner: str, stored: Stored | None = None) -> None:
        facts = {"x-goog-generation": str(stored.generation)} if stored else {}
        self.answer(200, facts | {"Content-Type": "application/xml"}, f"<{name}>{inner}</{name}>".encode())

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, {"Content-Type": "application/xml"}, f"<Error><Code>{code}</Code></Error>".encode())

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
