import base64
import textwrap

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
    "a data: URI": lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
}


@pytest.mark.parametrize("form", FORMS)
@given(data=st.binary(max_size=300))
def test_every_form_is_decoded(form, data):
    assert decode_base64(FORMS[form](data)) == data


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
