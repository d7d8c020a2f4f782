"""Cases from public bug reports, one a file: an event, and what its answer has to be."""

import base64
import gzip
import json
import zlib
from io import BytesIO

import pytest
from PIL import Image

from tests import ROOT
from tests.support.fakes import ListTelemetry, colour_app

CASES = ROOT / "tests" / "cases" / "serving"
NAMES = [path.stem for path in sorted(CASES.glob("*.json")) if json.loads(path.read_text())["door"] == "http"]
MODEL = "colours"  # the reports' own sample is another
BOUNDARY = b"X"


def read(case):
    return json.loads((CASES / f"{case}.json").read_text().replace("/v1/models/sample", f"/v1/models/{MODEL}"))


def image(format):
    if format == "HEIC":
        return (ROOT / "tests" / "model" / "four_colours.heic").read_bytes()
    buffer = BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(buffer, format)
    return buffer.getvalue()


def form(data, disposition):
    head = b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n" % (BOUNDARY, disposition.encode())
    return head + data + b"\r\n--%s--\r\n" % BOUNDARY


def raw(value):
    """The bytes that an input names: an image format, or something around one."""
    if isinstance(value, str):
        return image(value)
    ((kind, inner),) = ((kind, inner) for kind, inner in value.items() if kind != "disposition")
    if kind == "gzip":
        return gzip.compress(raw(inner))
    if kind == "deflate":
        return zlib.compress(raw(inner))
    if kind == "json":
        return json.dumps(build(inner)).encode()
    if kind == "form":
        return form(raw(inner), value["disposition"])
    if kind == "textform":
        return form(b"data:image/jpeg;base64," + base64.b64encode(raw(inner)), 'name="image"')
    raise AssertionError(f"an input of no known kind: {kind}")


def build(value):
    """An input with its images put in."""
    if isinstance(value, list):
        return [build(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if "$b64" in value:
        return base64.b64encode(raw(value["$b64"])).decode()
    if "$json" in value:
        return json.dumps(build(value["$json"]))
    if "$mangled" in value:
        return raw(value["$mangled"]).decode("utf-8", "replace")
    if "$bom" in value:
        return "\ufeff" + json.dumps(build(value["$bom"]))
    return {name: build(entry) for name, entry in value.items()}


def outcome(event):
    """What a case's `wanted` may speak of."""
    from serving.http.lambda_adapter import answer

    telemetry = ListTelemetry()
    try:
        response = answer(colour_app(telemetry=telemetry), event, None)
    except Exception as error:  # noqa: BLE001  whichever it is is what a case asks for
        found = {"r": error, "status": None, "body": {}, "raised": type(error).__name__, "message": str(error)}
    else:
        found = {"r": response, "status": response["statusCode"], "body": json.loads(response["body"])}
        found |= {"raised": "", "message": ""}
    return found | {"log": str(telemetry.lines + telemetry.failures), "results": {}}


@pytest.mark.parametrize("name", NAMES)
def test_a_reported_case_ends_as_it_should(name):
    case = read(name)
    found = outcome(build(case["input"]))
    assert eval(case["wanted"], {}, found), found
