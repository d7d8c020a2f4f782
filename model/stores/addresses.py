"""Where an object lies: s3://bucket/key, az://container/key in Azure Blob Storage, gs://bucket/key in Google Cloud Storage.

A bucket of S3 is called by its plain name, as S3's own events call it, and one of the others as `az://container` or `gs://bucket`:
so a bucket and a key say everything, wherever they go together.
"""

import re

from model.errors import ModelNotFound

S3, AZURE, GOOGLE = "s3://", "az://", "gs://"
SCHEMES = (S3, AZURE, GOOGLE)
FORMS = "s3://bucket/prefix, az://container/prefix or gs://bucket/prefix"
ADDRESS = re.compile(
    r"(?:s3://(?P<s3>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])"
    r"|(?P<azure>az://[a-z0-9](?:-?[a-z0-9]){2,62})"  # learn.microsoft.com: Naming and referencing containers, blobs, and metadata
    r"|(?P<google>gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]))"  # cloud.google.com/storage/docs/buckets#naming
    r"(?:/(?P<prefix>.*?))?/*",
    re.DOTALL,
)


def is_remote(place: str) -> bool:
    return place.startswith(SCHEMES)


def in_s3(bucket: str) -> bool:
    return "://" not in bucket


def parse_address(uri: str) -> tuple[str, str]:
    """Take an address apart, into its bucket and its prefix or key, without a slash at the end. Raises ModelNotFound."""
    matched = ADDRESS.fullmatch(uri)
    if matched is None:
        raise ModelNotFound(f"{uri!r} names no bucket; write {FORMS}")
    return matched["s3"] or matched["azure"] or matched["google"], matched["prefix"] or ""


def split_address(address: str) -> tuple[str, str]:
    """The bucket and the key of an object's address, the key as it is."""
    scheme, _, rest = address.partition("://")
    name, _, key = rest.partition("/")
    return name if f"{scheme}://" == S3 else f"{scheme}://{name}", key


def address_of(bucket: str, key: str) -> str:
    return f"{S3 if in_s3(bucket) else ''}{bucket}/{key}"


def folder_of(bucket: str) -> str:
    """A folder's name that is no other bucket's: no bucket of S3 has an underscore in its name."""
    return bucket.replace("://", "_")


def bucket_of(folder: str) -> str:
    """The bucket that a folder was named after."""
    scheme, underscore, name = folder.partition("_")
    return f"{scheme}://{name}" if underscore else folder
