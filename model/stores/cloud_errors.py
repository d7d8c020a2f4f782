"""What obstore says of Azure Blob Storage and Google Cloud Storage, as the error that botocore would raise: model/aws.py knows its codes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

READS = ("GetObject", "HeadObject")
STATUS = re.compile(r"status code: (\d{3})")  # in what obstore says where a listing is refused, or tried to the last


@contextmanager
def as_botocore(operation: str) -> Iterator[None]:
    from obstore import exceptions

    codes: dict[type[Exception], str] = {
        FileNotFoundError: "NoSuchKey",
        exceptions.AlreadyExistsError: "InvalidObjectState" if operation in READS else "PreconditionFailed",  # any 409
        exceptions.PreconditionError: "PreconditionFailed",
        exceptions.PermissionDeniedError: "PermissionDenied",
        exceptions.UnauthenticatedError: "Unauthenticated",
        ValueError: "InvalidURI",  # a key that obstore cannot name, `a//b`
        exceptions.BaseError: "GenericError",
    }
    try:
        yield
    except tuple(codes) as error:
        code = next(code for kind, code in codes.items() if isinstance(error, kind))
        raise error_of(_of_status(error) or code if code == "GenericError" else code, error, operation) from error


def _of_status(error: Exception) -> str | None:
    status = STATUS.search(str(error))
    named = {"401": "Unauthenticated", "403": "PermissionDenied", "404": "NoSuchKey"}
    return named.get(status[1]) if status else None


def error_of(code: str, error: Exception, operation: str) -> Exception:
    from botocore.exceptions import ClientError

    said = str(error).partition("\n\nDebug source")[0]
    return ClientError({"Error": {"Code": code, "Message": said}}, operation)
