"""What the answers of AWS mean, once: whose fault each is, and the remedy. aws_errors.py makes errors of ours of them.

What stands for S3 elsewhere (model/stores/clouds.py) raises the same errors, under codes of its own at the end of the table.

It knows nobody who asks: serving/s3.py says what a caller hears.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError


class Fault(StrEnum):
    MISSING = "missing"  # there is no such object, or none that the request can mean
    DENIED = "denied"  # the role may not, or must not know
    OPERATOR = "operator"  # waiting does not help: somebody has to set something right
    ARCHIVED = "archived"  # final, until somebody restores the object
    LOCKED = "locked"  # final: encrypted with a key that is not to be had
    TAKEN = "taken"  # the condition of a conditional request does not hold
    PASSING = "passing"  # whatever is not named here


@dataclass(frozen=True)
class Meaning:
    fault: Fault
    remedy: str = "try again"


MISSING = Meaning(Fault.MISSING, "check bucket, key and version")
DENIED = Meaning(Fault.DENIED, "check the role's S3 permissions and the bucket's policy")
CREDENTIALS = Meaning(
    Fault.OPERATOR, "renew the credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE"
)
ACCOUNT = Meaning(Fault.OPERATOR, "sign up for S3, or ask AWS Support what is the matter with the account")
CLOCK = Meaning(Fault.OPERATOR, "set this machine's clock")
REGION = Meaning(Fault.OPERATOR, "set AWS_REGION to the bucket's own region, and look at AWS_ENDPOINT_URL")
ACCESS_POINT = Meaning(Fault.OPERATOR, "name the bucket itself, or an access point that exists and may be used")
KMS = Meaning(
    Fault.OPERATOR, "allow the role kms:Decrypt (to write: kms:GenerateDataKey) in the key's policy and its own"
)
CLOUD_ROLE = Meaning(
    Fault.DENIED, "give the identity Storage Blob Data Contributor (Azure) or Storage Object User (Google Cloud) here"
)
CLOUD_CREDENTIALS = Meaning(
    Fault.OPERATOR,
    "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or GOOGLE_APPLICATION_CREDENTIALS, or give the machine an identity",
)
NAME = Meaning(Fault.OPERATOR, "rename that object: no name with an empty part, `.` or `..` in it can be read here")
ARCHIVED = Meaning(Fault.ARCHIVED, "restore the object first")
SSE_C = Meaning(Fault.LOCKED, "store the object without a customer's own key (SSE-C)")
KEY_OFF = Meaning(Fault.LOCKED, "enable the KMS key that encrypts the object, or store the object with another key")
CONDITION = Meaning(Fault.TAKEN)
PASSING = Meaning(Fault.PASSING)

MEANINGS: dict[str, Meaning] = {
    # docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, "List of error codes"; a number: what HEAD answers instead
    "404": MISSING,
    "NotFound": MISSING,
    "NoSuchKey": MISSING,
    "NoSuchBucket": MISSING,
    "NoSuchVersion": MISSING,
    "InvalidBucketName": MISSING,
    "InvalidURI": MISSING,
    "KeyTooLongError": MISSING,
    "403": DENIED,
    "AccessDenied": DENIED,
    "Forbidden": DENIED,
    "AllAccessDisabled": ACCOUNT,
    "401": CREDENTIALS,  # RFC 9110, section 15.5.2; of what stands for S3
    "400": CREDENTIALS,  # to HEAD; boto/boto3#2598: the token expired (serving/s3.py asks again where it may mean else)
    "ExpiredToken": CREDENTIALS,
    "InvalidToken": CREDENTIALS,
    "TokenRefreshRequired": CREDENTIALS,
    "InvalidAccessKeyId": CREDENTIALS,
    "SignatureDoesNotMatch": CREDENTIALS,
    "InvalidSecurity": CREDENTIALS,
    "MissingSecurityHeader": CREDENTIALS,
    "CredentialsNotSupported": CREDENTIALS,
    "RequestExpired": CREDENTIALS,
    "AccountProblem": ACCOUNT,
    "NotSignedUp": ACCOUNT,
    "UnauthorizedAccess": ACCOUNT,
    "RequestTimeTooSkewed": CLOCK,
    "301": REGION,
    "307": REGION,
    "PermanentRedirect": REGION,
    "Redirect": REGION,
    "TemporaryRedirect": REGION,
    "AuthorizationHeaderMalformed": REGION,
    "IllegalLocationConstraintException": REGION,
    "IncorrectEndpoint": REGION,
    "InvalidRegion": REGION,
    "InvalidAccessPoint": ACCESS_POINT,
    "InvalidAccessPointAliasError": ACCESS_POINT,
    "NoSuchAccessPoint": ACCESS_POINT,
    "InvalidObjectState": ARCHIVED,
    "InvalidRequest": SSE_C,  # to a GET without parameters: "The object was stored using a form of Server Side Encryption"
    "412": CONDITION,
    "409": CONDITION,
    "PreconditionFailed": CONDITION,
    "ConditionalRequestConflict": CONDITION,
    # docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors; S3 passes them on behind `KMS.`
    "KMS.DisabledException": KEY_OFF,
    "KMS.KMSInvalidStateException": KEY_OFF,
    "KMS.NotFoundException": KEY_OFF,
    "KMS.InvalidKeyUsageException": KEY_OFF,
    "KMS.IncorrectKeyException": KEY_OFF,
    "KMS.InvalidCiphertextException": KEY_OFF,
    "KMS.AccessDeniedException": KMS,
    "KMS.InvalidGrantTokenException": KMS,
    # docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html: what other services say where S3 says the above
    "AccessDeniedException": DENIED,
    "ExpiredTokenException": CREDENTIALS,
    "IncompleteSignature": CREDENTIALS,
    "InvalidClientTokenId": CREDENTIALS,
    "InvalidSignatureException": CREDENTIALS,
    "MissingAuthenticationToken": CREDENTIALS,
    "NotAuthorized": DENIED,
    "UnrecognizedClientException": CREDENTIALS,
    "OptInRequired": ACCOUNT,
    # model/stores/clouds.py: what obstore says of Azure Blob Storage and Google Cloud Storage
    "PermissionDenied": CLOUD_ROLE,
    "Unauthenticated": CLOUD_CREDENTIALS,
    "Misconfigured": CLOUD_CREDENTIALS,
}
WHERE_IT_SAYS: list[
    tuple[str, str, Meaning]
] = [  # a code of several meanings, what its message then holds, the meaning
    ("AccessDenied", "kms:", KMS),  # repost.aws/knowledge-center/s3-access-denied-error-kms
    ("InvalidArgument", "Signature Version 4", KMS),  # ErrorResponses.html: objects under KMS want requests signed so
    ("InvalidRequest", "AWS4-HMAC-SHA256", REGION),  # ErrorResponses.html: regions since 2014 take no other signature
    ("InvalidRequest", "access point", ACCESS_POINT),
    ("GenericError", "invalid path", NAME),  # of an object that a listing came upon
    ("GenericError", "token request", CLOUD_CREDENTIALS),  # no credentials are set, and the machine has no identity
]

TAKEN = {code for code, meaning in MEANINGS.items() if meaning.fault is Fault.TAKEN}


def code_of(error: "ClientError") -> str:
    """The code, or the status of an answer that holds none: of a proxy in front of S3, for one."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "")
    return str(error.response.get("Error", {}).get("Code", "") or status)


def meaning_of(error: "ClientError") -> Meaning:
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    for ambiguous, part, meaning in WHERE_IT_SAYS:
        if code == ambiguous and part in message:
            return meaning
    return MEANINGS.get(code, PASSING)
