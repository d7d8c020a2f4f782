"""All sections, in the order of the page. Those that load TensorFlow into this process come last."""

from bench.cold import COLD
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
    "parity": PARITY,
}
