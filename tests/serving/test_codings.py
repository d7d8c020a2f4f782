"""What gzip and deflate pack is undone, and no more of it than the limit."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.codings import MOST_MEMBERS, inflated
from serving.errors import BodyTooLarge, MalformedRequest


@given(members=st.lists(st.binary(max_size=50), min_size=1, max_size=MOST_MEMBERS))
def test_members_of_gzip_are_one_whole(members):
    assert inflated(b"".join(map(gzip.compress, members)), "gzip", 10_000) == b"".join(members)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("more", [0, 1, 10**6])
def test_the_limit_is_that_of_what_comes_out(pack, more):
    packed = pack(bytes(100 + more))
    if not more:
        assert len(inflated(packed, "deflate", 100)) == 100
        return
    with pytest.raises(BodyTooLarge, match="more than 100 bytes"):
        inflated(packed, "deflate", 100)


@pytest.mark.parametrize("end", [b"", b"x"])
def test_more_members_than_any_packer_writes_are_refused(end):
    with pytest.raises(MalformedRequest, match="more than one whole"):
        inflated(gzip.compress(end) * (MOST_MEMBERS + 2), "gzip", 10_000)
