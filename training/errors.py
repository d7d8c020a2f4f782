"""What can go wrong in training, a branch of the tree in model/errors.py.

RecognitionError
└── TrainingError
    ├── DatasetError          the folder of labelled images cannot be learned from
    ├── WeightsError          the backbone's weights cannot be had or do not fit
    ├── CacheError            the feature cache cannot be used
    └── ExportError           no faithful model came out
"""

from model.errors import RecognitionError


class TrainingError(RecognitionError):
    pass


class DatasetError(TrainingError):
    pass


class WeightsError(TrainingError):
    pass


class CacheError(TrainingError):
    pass


class ExportError(TrainingError):
    pass
