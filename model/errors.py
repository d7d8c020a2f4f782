"""Everything that can go wrong, as one small tree. The core raises; each edge translates it in one place.

RecognitionError
├── ImageError                the caller's image
│   ├── UnsupportedImage      its first bytes are of no format we read
│   │   └── UnreadFormat      but of an image, whose format is named
│   ├── CorruptImage          of a format we read, but broken
│   ├── ImageTooLarge         more bytes than the limit
│   └── ImageOutOfBounds      too many pixels, or too small a side
├── ModelError                the trained model
│   ├── ModelNotFound         no complete version at that place
│   ├── ModelCorrupt          a file is missing, or is not the one that was published
│   └── ModelIncompatible     this code or this installation cannot run it
├── StoreError                where models are kept
│   ├── StoreForbidden        no credentials, or not enough permission
│   │   └── StoreMisconfigured what the operator set up is not right: credentials, key, region, access point
│   └── StoreUnavailable      out of reach for now; trying again may help
├── TrainingError             grown in training/errors.py
├── ClusterError              of cluster/actors.py: there is no Ray cluster, or none that works
└── RequestError              the caller's request; grown in serving/errors.py
"""


class RecognitionError(Exception):
    """Base of every error raised on purpose; its text is one sentence for the person who can mend it."""


class ImageError(RecognitionError):
    pass


class UnsupportedImage(ImageError):
    pass


class UnreadFormat(UnsupportedImage):
    pass


class CorruptImage(ImageError):
    pass


class ImageTooLarge(ImageError):
    pass


class ImageOutOfBounds(ImageError):
    pass


class ModelError(RecognitionError):
    pass


class ModelNotFound(ModelError):
    pass


class ModelCorrupt(ModelError):
    pass


class ModelIncompatible(ModelError):
    pass


class StoreError(RecognitionError):
    pass


class StoreForbidden(StoreError):
    pass


class StoreMisconfigured(StoreForbidden):
    pass


class StoreUnavailable(StoreError):
    pass


class RequestError(RecognitionError):
    pass
