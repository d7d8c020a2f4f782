"""Bodies that were sound once and are mutated at random: whatever comes is answered, and never as our own fault.

A failure names its seed: FUZZ_SEED=<seed> FUZZ_ROUNDS=1 shows it again. FUZZ_ROUNDS=100000 searches for longer.
"""

import base64
import gzip
import json
import os
import random
import zlib

import pytest

from tests.support.fakes import base64_of, colour_app, picture

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "500"))  # of each kind of body
SEED = int(os.environ.get("FUZZ_SEED", "1"))

TINY = picture(size=(16, 16), format="PNG")
TEXT = base64_of(TINY)
FORM = (
    b'--X\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + TINY
    + b"\r\n"
    b'--X\r\nContent-Disposition: form-data; name="top_k"\r\n\r\n2\r\n--X--\r\n'
)
JSON = json.dumps(
    {"images": [{"bytes": TEXT}, {"s3": {"bucket": "b", "key": "k"}}], "top_k": 2, "min_score": 0.1}
).encode()
ROWS = json.dumps({"instances": [{"b64": TEXT}, {"image_bytes": {"b64": TEXT}}], "signature_name": ""}).encode()
COLUMN = json.dumps({"inputs": {"image_bytes": [{"b64": TEXT}]}}).encode()
KINDS = {  # body, Content-Type, Content-Encoding, address
    "image": (TINY, "image/png", "", "/v1/classify"),
    "base64": (TEXT.encode(), "text/plain", "", "/v1/classify"),
    "data URI": (b"data:image/png;base64," + TEXT.encode(), "text/plain", "", "/v1/classify"),
    "JSON": (JSON, "application/json", "", "/v1/classify"),
    "form": (FORM, "multipart/form-data; boundary=X", "", "/v1/classify"),
    "form in the address's form": (b"image=" + TEXT.encode(), "application/x-www-form-urlencoded", "", "/v1/classify"),
    "gzip": (gzip.compress(JSON), "application/json", "gzip", "/v1/classify"),
    "deflate": (zlib.compress(FORM), "multipart/form-data; boundary=X", "deflate", "/v1/classify"),
    "rows": (ROWS, "application/json", "", "/v1/models/colours:predict"),
    "column": (COLUMN, "application/json", "", "/v1/models/colours:predict"),
    "upload": (b'{"content_type": "image/png"}', "application/json", "", "/v1/uploads"),
}
TOKENS = [
    b"",
    b"\0",
    b"\xff",
    b"\xef\xbf\xbd",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b"--X",
    b"--X--",
    b'"',
    b"{",
    b"[",
    b"}",
]
TOKENS += [
    b"null",
    b"-1",
    b"1e999",
    b"NaN",
    b"\\ud800",
    b"=",
    b"%",
    b"data:",
    b";base64,",
    b'name="image"',
    b"image=",
    b"[" * 2000,
]


def mutated(random, data):
    data = bytearray(data)
    for _ in range(random.randint(1, 6)):
        first, last = sorted(random.randint(0, len(data)) for _ in range(2))
        match random.randrange(6):
            case 0 if data:
                data[first - 1] ^= 1 << random.randrange(8)
            case 1:
                del data[first : min(last, first + 40)]
            case 2:
                data[first:first] = random.choice(TOKENS)
            case 3:
                data[first:last] = random.choice(TOKENS)
            case 4:
                data[first:first] = data[first : min(last, first + 200)]
            case _:
                data[first:first] = random.randbytes(random.randint(1, 8))
    return bytes(data)


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_body_is_never_our_fault(kind):
    client = colour_app().test_client()
    body, content_type, coding, address = KINDS[kind]
    for seed in range(SEED, SEED + ROUNDS):
        chance = random.Random(seed)
        sent = mutated(chance, body)
        if coding and chance.random() < 0.5:  # else nearly nothing would be left to unpack
            sent = {"gzip": gzip.compress, "deflate": zlib.compress}[coding](mutated(chance, zlib.decompress(body, 47)))
        if chance.random() < 0.2:
            content_type = mutated(chance, content_type.encode()).decode("latin-1").translate({10: " ", 13: " "})
        response = client.post(address, data=sent, content_type=content_type, headers={"Content-Encoding": coding})
        assert response.status_code < 500, f"FUZZ_SEED={seed}: {base64.b64encode(sent).decode()} as {content_type!r}"
        content_type = KINDS[kind][1]
        assert response.is_json
        json.loads(response.data)
