"""Where the app lies: under a stage, a base path, a proxy's sub-path, and what of a request's path is its own.

BASE_PATH says it. Where nothing is said, a path is tried as it is, then without what an event calls its stage or mapping.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote_from_bytes

SLASHES = re.compile(r"/(\.?/)+")  # //, and /./ for a relative address that nobody resolved
PLAIN = "".join(map(chr, range(33, 127)))  # of a query: what needs no escape
PARAMETER = re.compile(r"\{(\w+)\+?\}")  # of a REST API's resource: {id}, {proxy+}
LEVELS = 4  # parts of a sub-path that are tried
AWS_HOSTS = re.compile(r"\.(execute-api|lambda-url)\.[a-z0-9-]+\.(amazonaws\.com|amazonaws\.com\.cn|on\.aws)$")

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]


def mounted(app: WsgiApp, base_path: str) -> WsgiApp:
    """The app behind a proxy that leaves `base_path` in the path, or takes it off, or writes slashes twice, or escapes no query."""
    prefix = base_path.rstrip("/")

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = one_slash(environ.get("PATH_INFO", ""))
        if prefix and f"{path}/".startswith(f"{prefix}/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + prefix
            path = path.removeprefix(prefix) or "/"
        environ["PATH_INFO"] = path
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():  # bytes as they are, where RFC 3986 wants them escaped
            environ["QUERY_STRING"] = quote_from_bytes(query.encode("latin-1", "replace"), safe=PLAIN)
        return app(environ, start_response)

    return answer


def own_path(path: str, prefixes: Iterable[str], is_known: Callable[[str], bool]) -> str:
    """The path without the first of these prefixes that leaves an address of the app; as it is where none does."""
    path = one_slash(path)
    for prefix in ("", *prefixes):
        if f"{path}/".startswith(f"{prefix}/") and is_known(path.removeprefix(prefix) or "/"):
            return path.removeprefix(prefix) or "/"
    return path


def rest_prefixes(path: str, resource: str, parameters: dict[str, str]) -> Iterator[str]:
    """What may stand before the app's path at a REST API: the mapping of its custom domain and the stage, which come before the
    resource, and then what the resource itself begins with, /api of /api/{proxy+}."""
    if not resource.startswith("/") or not all(map(parameters.get, PARAMETER.findall(resource))):
        return
    own = one_slash(PARAMETER.sub(lambda found: parameters[found[1]], resource)).rstrip("/")
    path = one_slash(path).rstrip("/")
    if not path.endswith(own):
        return
    before = path.removesuffix(own)
    yield before
    parts = resource.partition("{")[0].split("/")[1:-1]
    for count in range(1, min(len(parts), LEVELS) + 1):
        yield before + "/" + "/".join(parts[:count])


def sub_paths(path: str, host: str) -> Iterator[str]:
    """What may stand before the app's path at a host of the user's own: AWS's own hosts know stages only."""
    parts = [] if AWS_HOSTS.search(host) else one_slash(path).split("/")[1:-1]  # the page's address ends in a slash
    for count in range(1, min(len(parts), LEVELS) + 1):
        yield "/" + "/".join(parts[:count])


def one_slash(path: str) -> str:
    return SLASHES.sub("/", f"/{path}")
