"""All sections, in the order of the page. Those that load TensorFlow into this process come last."""

from bench.cold import COLD
from bench.growth import GROWTH
from bench.memory import MEMORY
from bench.parity import PARITY
from bench.s3 import S3
from bench.section import Section
from bench.training import TRAINING
from bench.warm import WARM

SECTIONS: dict[str, Section] = {
    "cold": COLD,
    "warm": WARM,
    "memory": MEMORY,
    "s3": S3,
    "training": TRAINING,
    "growth": GROWTH,
    "parity": PARITY,
}

BY_NAME = ("growth",)  # measured only where it is asked for
