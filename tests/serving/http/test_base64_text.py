import base64
import textwrap
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.errors import MalformedBase64
from serving.http.base64_text import decode_base64

FORMS = {
    "standard": lambda data: base64.b64encode(data).decode(),
    "unpadded": lambda data: base64.b64encode(data).decode().rstrip("="),
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "URL-safe and unpadded": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "broken into lines": lambda data: "\r\n".join(textwrap.wrap(base64.b64encode(data).decode(), 76)),
    "ended by a newline": lambda data: base64.encodebytes(data).decode(),
    "indented": lambda data: "\n".join(f"  {line} " for line in textwrap.wrap(base64.b64encode(data).decode(), 76)),
    "in quotation marks": lambda data: f'"{base64.b64encode(data).decode()}"',
    "as JSON of PHP": lambda data: '"' + base64.b64encode(data).decode().replace("/", "\\/") + '"',
    "as Python writes bytes": lambda data: repr(base64.b64encode(data)),
    "as Python writes lines": lambda data: repr(base64.encodebytes(data)),
    "a data: URI in capitals": lambda data: "DATA:image/png;BASE64," + base64.b64encode(data).decode(),
    "a data: URI in quotation marks": lambda data: f"'data:image/png;base64,{base64.b64encode(data).decode()}'",
    "a data: URI": lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@given(data=st.binary(max_size=300))
def test_every_form_is_decoded(form, data):
    assert decode_base64(FORMS[form](data)) == data


@given(data=st.binary(min_size=200, max_size=600), line=st.sampled_from([60, 64, 72, 76]))
def test_blanks_that_divide_lines_are_passed_by(data, line):
    assert decode_base64(" ".join(textwrap.wrap(base64.b64encode(data).decode(), line))) == data


@pytest.mark.parametrize("end", ["", "\r\n"])
def test_blanks_that_were_plus_signs_are_restored(end):
    data = b"\xff\xd8\xff" + b"\xfb\xef\xbe" * 30 + bytes(50) + b"\xfb" * 30 + bytes(70) + b"\xfb\xff"
    text = base64.b64encode(data).decode()
    lines = end.join(textwrap.wrap(text, 76)) if end else text
    assert decode_base64(lines.replace("+", " ")) == data
    assert decode_base64(f"data:image/png;base64,{lines.replace('+', ' ')}") == data


@pytest.mark.parametrize(
    "write",
    [
        lambda text: "\ufeff" + text,
        lambda text: f"data: image/jpeg ; base64 ,{text}",
        lambda text: "data:image/jpeg;base64," + quote(text, safe=""),
        lambda text: quote("data:image/jpeg;base64," + text, safe="").replace("%3A", "%3a"),
    ],
    ids=["byte order mark", "blanks", "escaped", "all of it escaped"],
)
def test_what_other_layers_put_around_it_is_taken_off(write):
    data = b"\xfb\xef\xff" * 9 + b"\xff"
    assert decode_base64(write(base64.b64encode(data).decode())) == data


@given(text=st.text(max_size=60))
def test_any_text_is_decoded_or_refused(text):
    try:
        assert isinstance(decode_base64(text), bytes)
    except MalformedBase64 as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("%%%", "character 1 of 3 is '%'"),
        ("aGVs*G8=", "character 5 of 7 is '\\*'"),
        ("aGVsb", "cut off: its 5 characters"),
        ("aGk=aGk=", "character 4 of 7 is '='"),
        ("data:image/png,aGk=", "not base64"),
        ("photo.jpg", "character 6 of 9 is '.'"),
        ("blüte", "character 3"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(text, complaint):
    with pytest.raises(MalformedBase64, match=complaint):
        decode_base64(text)
