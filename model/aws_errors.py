"""The SDK's errors as ours, naming what was asked and the remedy: what AWS answered, and what the SDK found before it asked.

What an answer means stands in aws.py. boto3 is imported by the first call that is made.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from model.aws import CREDENTIALS, REGION, Fault, meaning_of
from model.errors import ModelNotFound, StoreError, StoreForbidden, StoreMisconfigured, StoreUnavailable

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CONFIGURATION = "look at the AWS_* variables and the file that `aws configure` writes"
LOOK = "look at AWS_ENDPOINT_URL and the other AWS_* variables, the file that `aws configure` writes, and the proxy in between"


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn what calls of the SDK raise, and making its clients too, into ModelNotFound or a StoreError, naming the address."""
    from boto3.exceptions import Boto3Error
    from boto3.s3.transfer import S3TransferRetriesExceededError  # type: ignore[attr-defined]  # the stubs leave it out
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        raise as_ours(error, where) from error
    except (BotoCoreError, Boto3Error, S3TransferRetriesExceededError) as error:
        raise unanswered(error, where) from error
    except OSError as error:
        if error.filename is None:  # a full disk, say
            raise
        # a token's file, or the program that gives credentials
        raise StoreMisconfigured(f"{where}: {error}; {CREDENTIALS.remedy}") from error
    except (ValueError, KeyError, ResponseParserError, RecursionError) as error:
        # an address or a file that is none, an answer without what S3 says, a redirection in a circle
        reason = f"{type(error).__name__}: {error}"
        raise StoreMisconfigured(
            f"{where}: the settings of AWS, or what answers at that address, cannot be used ({reason}); {LOOK}"
        ) from error


def as_ours(error: "ClientError", where: str) -> ModelNotFound | StoreError:
    """What AWS answered, as an error of ours that names the remedy."""
    meaning = meaning_of(error)
    if meaning.fault is Fault.MISSING:
        return ModelNotFound(f"{where} does not exist")
    if meaning.fault is Fault.DENIED:
        return StoreForbidden(f"{where}: access denied ({error}); {meaning.remedy}")
    if meaning.fault is Fault.OPERATOR:
        return StoreMisconfigured(f"{where}: {error}; {meaning.remedy}")
    if meaning.fault in (Fault.ARCHIVED, Fault.LOCKED):
        return StoreForbidden(f"{where} cannot be read ({error}); {meaning.remedy}")
    return StoreUnavailable(f"{where}: {error}")


def unanswered(error: Exception, where: str) -> StoreError:
    """What the SDK found before AWS was asked, or instead of an answer: it passes where it is the line's, else it is a setting's."""
    from botocore import exceptions

    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return StoreMisconfigured(f"{where}: no AWS credentials were found; run `aws configure` or set AWS_PROFILE")
    of_credentials = (
        exceptions.CredentialRetrievalError,
        exceptions.ProfileNotFound,
        exceptions.SSOError,
        exceptions.TokenRetrievalError,
    )
    if isinstance(error, of_credentials):
        return StoreMisconfigured(f"{where}: {error}; {CREDENTIALS.remedy}")
    if isinstance(error, exceptions.NoRegionError | exceptions.InvalidRegionError):
        return StoreMisconfigured(f"{where}: {error}; {REGION.remedy}")
    if type(error) is exceptions.HTTPClientError and isinstance(error.kwargs.get("error"), ValueError):
        # what it says would repeat them
        return StoreMisconfigured(
            f"{where}: the credentials hold what no header may, such as a line break; set them anew"
        )
    of_the_line = (
        exceptions.HTTPClientError,
        exceptions.ConnectionError,
        exceptions.IncompleteReadError,
        exceptions.ChecksumError,
        exceptions.FlexibleChecksumError,
    )
    if isinstance(error, exceptions.BotoCoreError) and not isinstance(error, of_the_line):
        return StoreMisconfigured(f"{where}: {error}; {CONFIGURATION}")
    return StoreUnavailable(f"{where}: S3 cannot be reached ({error})")
