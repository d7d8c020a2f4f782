"""The caller's mistakes and the operator's, one tree under model/errors.py's; serving/problems.py gives each its status.

RecognitionError
├── RequestError
│   ├── MalformedRequest      not the body, form, JSON or parameters that are documented
│   │   └── MalformedBase64   text that is base64 in none of its forms
│   ├── KeyNeeded             no key, or one that is not known here
│   ├── UnsupportedEncoding   a Content-Encoding that is not undone here
│   ├── BodyTooLarge          more bytes than the limit, before anything is read, or in an answer
│   ├── BatchTooLarge         more images than the limit
│   ├── SourceForbidden       an S3 place outside the allow-list
│   ├── ObjectNotFound        an S3 object that is missing, or that we may not read: the caller cannot tell which
│   ├── ObjectArchived        an S3 object that nobody can read before it is restored
│   ├── ObjectLocked          an S3 object under a key that is not to be had: the customer's own, or one that is disabled
│   ├── FatalImage            an image that ended the invocation which tried it alone
│   ├── UploadsNotOffered     no bucket is named to upload to
│   ├── ResultNotReady        an upload whose result is not there, or not there yet
│   ├── UnknownModel          a model or version that is not the one served
│   ├── UnknownEvent          a Lambda event of no shape we understand
│   ├── OutOfTime             too little of the invocation's time is left to begin another upload
│   └── Busy                  as many requests at work as the process may hold
└── SettingsError             an environment variable that cannot be used; raised at start, before any request
"""

from model.errors import RecognitionError, RequestError


class MalformedRequest(RequestError):
    pass


class MalformedBase64(MalformedRequest):
    pass


class KeyNeeded(RequestError):
    pass


class UnsupportedEncoding(RequestError):
    pass


class BodyTooLarge(RequestError):
    pass


class BatchTooLarge(RequestError):
    pass


class SourceForbidden(RequestError):
    pass


class ObjectNotFound(RequestError):
    pass


class ObjectArchived(RequestError):
    pass


class ObjectLocked(RequestError):
    pass


class FatalImage(RequestError):
    pass


class UploadsNotOffered(RequestError):
    pass


class ResultNotReady(RequestError):
    pass


class UnknownModel(RequestError):
    pass


class UnknownEvent(RequestError):
    pass


class OutOfTime(RequestError):
    pass


class Busy(RequestError):
    pass


class SettingsError(RecognitionError):
    pass
