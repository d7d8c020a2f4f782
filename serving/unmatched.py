"""Values of variables that look right and could never match anything: what is wrong with each, and what to write instead."""

import re
from collections.abc import Callable

QUOTES = ("'", '"')
# Compiled where they are needed: a cold start reads this module.
SITE = r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?(?P<rest>/.*)?"
DEFAULT_PORTS = {"http": "80", "https": "443"}
BUCKET = r"[A-Za-z0-9._-]{1,255}|(az|gs)://.*"  # botocore sends no other
ACCESS_POINT = r"arn:aws[a-z-]*:s3:[a-z0-9-]+:[0-9]{12}:accesspoint:[A-Za-z0-9.-]{1,63}"


def complaint(variable: str, text: str) -> str:
    """Nothing where nothing is wrong."""
    check = CHECKS.get(variable)
    return check(text) if check else ""


def _of_origins(text: str) -> str:
    return next(filter(None, map(_of_origin, text.replace(",", " ").split())), "")


def _of_origin(origin: str) -> str:
    if origin == "*" or not origin.lower().startswith(("http://", "https://")):
        return ""  # the pattern of the variable says it
    site = re.fullmatch(SITE, origin)
    if site is None:
        return (
            f"{origin} is no origin: write each as https://site.example or http://localhost:3000, without wildcards, user or query, "
            "and international names in punycode"
        )
    port = "" if site["port"] in (None, DEFAULT_PORTS[site["scheme"]]) else f":{site['port']}"
    sent = f"{site['scheme']}://{site['host'].lower()}{port}"
    return "" if origin == sent else f"no browser calls its origin {origin}: write {sent}, as it does"


def _of_prefix(prefix: str) -> str:
    if prefix.startswith(QUOTES) or prefix.endswith(QUOTES):
        return "the quotation marks would be part of it: take them away"
    if "://" in prefix or prefix.startswith("arn:"):
        return (
            "a prefix is what keys begin with, without bucket: write it like uploads/; UPLOADS_BUCKET names the bucket"
        )
    if "*" in prefix:
        return (
            f"a prefix is no pattern, all that begins with it is meant: write {prefix.partition('*')[0] or 'uploads/'}"
        )
    return ""


def _of_sources(text: str) -> str:
    return next(filter(None, map(_of_source, text.replace(",", " ").split())), "")


def _of_source(place: str) -> str:
    prefix = place.partition("://")[2].partition("/")[2]
    if place.startswith(QUOTES) or place.endswith(QUOTES):
        return "the quotation marks would be part of it: take them away"
    if ";" in place and "://" in prefix:
        return "places stand between blanks or commas, not semicolons"
    if "://" in prefix:
        return f"{place} holds two addresses: write a blank or a comma between them"
    if "*" in prefix:
        return f"a place is no pattern, all that begins with it is meant: write {place.partition('*')[0]}"
    return ""


def _of_bucket(bucket: str) -> str:
    if re.fullmatch(BUCKET, bucket) or re.fullmatch(ACCESS_POINT, bucket):
        return ""
    if bucket.startswith("arn:"):
        name = bucket.rpartition(":")[2].partition("/")[0]
        return (
            f"events and forms call a bucket by its name: write {name}"
            if re.fullmatch(BUCKET, name)
            else "it names no bucket"
        )
    if bucket.startswith(QUOTES) or bucket.endswith(QUOTES):
        return "the quotation marks would be part of it: take them away"
    if bucket.startswith("s3://"):
        return f"write the bucket's name alone: {bucket.removeprefix('s3://').partition('/')[0]}"
    return "no bucket has such a name: letters, digits, dots and hyphens, without a prefix or host"


CHECKS: dict[str, Callable[[str], str]] = {
    "CORS_ORIGINS": _of_origins,
    "IMAGE_SOURCES": _of_sources,
    "UPLOADS_BUCKET": _of_bucket,
    "UPLOADS_PREFIX": _of_prefix,
    "RESULTS_PREFIX": _of_prefix,
    "BULK_PREFIX": _of_prefix,
}
