"""What S3's error codes mean, once: the SDK's errors become ours, naming the address that was asked.

boto3 is not imported by this module, but by the first error that is translated.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from model.errors import ModelNotFound, StoreForbidden, StoreUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

# docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; a HEAD request has no body, so its code is the bare status
MISSING = {"404", "NoSuchKey", "NoSuchBucket", "NoSuchVersion", "NotFound"}
DENIED = {"403", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"}
TAKEN = {"412", "409", "PreconditionFailed", "ConditionalRequestConflict"}


def code_of(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn the SDK's errors into ModelNotFound, StoreForbidden or StoreUnavailable, naming the S3 address."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise StoreForbidden(
            f"{where}: no AWS credentials were found; run `aws configure` or set AWS_PROFILE"
        ) from error
    except ClientError as error:
        if code_of(error) in MISSING:
            raise ModelNotFound(f"{where} does not exist") from error
        if code_of(error) in DENIED:
            raise StoreForbidden(f"{where}: access denied ({error}); check the role's S3 permissions") from error
        raise StoreUnavailable(f"{where}: S3 answered {error}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise StoreUnavailable(f"{where}: S3 cannot be reached ({error})") from error
