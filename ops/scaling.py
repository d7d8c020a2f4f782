"""`python -m ops.scaling`: write docs/scaling.md, what a million and a hundred million images take each way.

Prices stand in ops/cost.py alone. Rates are measured ones, or AWS's quotas, named beside them; the slowest bounds a way.
"""

from dataclasses import dataclass
from pathlib import Path

from ops.cost import (
    BATCH_JOB,
    HOUR_OF_2_CPUS,
    HOUR_OF_16_CPUS,
    MILLION_BATCH_OBJECTS,
    MILLION_LISTED_BY_BATCH,
    THOUSAND_OF_REKOGNITION,
    THOUSAND_READS,
    dollars,
    total,
)

PAGE = Path(__file__).parents[1] / "docs" / "scaling.md"
SIZES = (1_000_000, 100_000_000)

CORE, RAY_CORE = (
    115 / 2,
    50 / 2,
)  # images/s of a core, int8: by ops.bulk's engine and through Ray Data (docs/decisions.md)
INVOCATION = 1 / 0.05  # images/s of one of Lambda's vCPUs, as docs/cost.md assumes
UPLOAD = 1 / 0.11  # images/s of one invocation of `uploads`, an object read and one written for each
READS, WRITES = 5_500, 3_500  # a second, that S3 gives a prefix before it answers 503
CONCURRENCY = 200  # bulkConcurrency in serverless.yml
UPLOADS_CONCURRENCY = 5  # uploadsConcurrency
QUOTA = 1_000  # of concurrent invocations, an account and region; a new account may have 10
MACHINES = 16  # of 16 vCPUs, in the cluster of the example


@dataclass(frozen=True)
class Way:
    name: str
    rates: dict[str, float]  # what bounds it → images/s
    thousand: str  # $ for 1,000 images, as arithmetic
    hour: str = "0"  # $ an hour, as arithmetic
    once: str = "0"  # $

    @property
    def bound(self) -> str:
        return min(self.rates, key=lambda name: self.rates[name])

    @property
    def rate(self) -> float:
        return self.rates[self.bound]


READ = f"1,000 × {THOUSAND_READS} / 1,000"
UPLOADED = f"{total('1,000 images put into the bucket'):.6f}"
WAYS = (
    Way("one machine of 2 vCPUs, `run`", {"2 cores": 2 * CORE}, READ, f"{HOUR_OF_2_CPUS}"),
    Way("one machine of 16 vCPUs, `run`", {"16 cores": 16 * CORE, "reads a prefix": READS}, READ, f"{HOUR_OF_16_CPUS}"),
    Way(
        f"{MACHINES} machines of 16 vCPUs, `run --engine ray`",
        {f"{MACHINES * 16} cores": MACHINES * 16 * RAY_CORE, "reads a prefix": READS},
        READ,
        f"{MACHINES} × {HOUR_OF_16_CPUS}",
    ),
    Way(
        "the state machine, `start`",
        {"`bulkConcurrency`": CONCURRENCY * INVOCATION, "reads a prefix": READS},
        f"{total('1,000 images by the state machine'):.6f}",
    ),
    Way(
        "S3 Batch Operations on `uploads`",
        {"concurrent invocations": QUOTA * UPLOAD, "writes a prefix": WRITES},
        f"{UPLOADED} + {MILLION_BATCH_OBJECTS} / 1,000 + {MILLION_LISTED_BY_BATCH} / 1,000",
        once=f"{BATCH_JOB}",
    ),
    Way("put into the uploads' bucket", {"`uploadsConcurrency`": UPLOADS_CONCURRENCY * UPLOAD}, UPLOADED),
)
INTRODUCTION = f"""# A million images, and a hundred million

What naming images that lie in S3 takes, in money and in hours, each [way](bulk.md). List prices of us-east-1 in US dollars, free tier left out
([the list, with where each is from](cost.md)); machines are EC2's c7i on demand, in the same region as the bucket (no transfer is paid for), and stopped at the end. Rates: {CORE:.1f} images/s a core for the int8 model
with its decode, {RAY_CORE:.0f} through Ray Data, both measured here on two cores (the engine of `--engine ray` is Ray without its Data: on two cores that others used too it was no slower than local threads, see [decisions](decisions.md), but it was not timed on a quiet machine); more cores and more machines are reckoned in proportion, which was not measured. On Lambda 50 ms an image on a
vCPU, and 110 ms where an object is read and one written for each, are assumed. `make docs` computes this page (`ops/scaling.py`).
"""
ADVICE = f"""
**From which size on what pays.** Up to some 100,000 images one machine is done in {100_000 / (2 * CORE) / 60:.0f} minutes on two cores, at {100_000 / 1000 * dollars(READ):.2f} dollars of reads: start nothing else. Ray
Data cost more than half of each core's pace ({RAY_CORE:.0f} images/s against {CORE:.0f}); reckoned with that, a cluster pays from the third machine on, and only where one large machine would take too long: {SIZES[1]:,} images are
{SIZES[1] / (16 * CORE) / 3600:.0f} hours on one of 16 vCPUs. The state machine costs more a million than a machine does and needs none: it pays where nobody has one, or when the hours of the table above are too many.
S3 Batch Operations pays where each image needs a result of its own. Amazon Rekognition's DetectLabels, which knows its own labels and not yours, is {SIZES[0] / 1000 * THOUSAND_OF_REKOGNITION:,.0f} dollars a million at its first price.

## Limits

| limit | whose | reached | what to do |
| --- | --- | --- | --- |
| {READS:,} reads and {WRITES:,} writes a second and prefix | S3; it splits prefixes by itself within minutes of steady load, and answers 503 meanwhile | by `bulkConcurrency` of {READS / INVOCATION:.0f}, or {READS / CORE:.0f} cores | several prefixes, a run each; what is refused is tried again |
| {QUOTA:,} concurrent invocations an account and region; a new account has perhaps 10 | Lambda | by `bulkConcurrency` beside everything else of the account | ask for more before; `bulkConcurrency` below what is free |
| 1,000 more invocations every 10 s | Lambda | not: the map starts {CONCURRENCY} | |
| 10,000 concurrent child executions | Step Functions | not | |
| 262,144 bytes of a batch's input or output | Step Functions | keys of over 1,000 bytes | batches are made smaller then (`MaxInputBytesPerBatch`) |
| 300 s of an express execution | Step Functions | a batch with two images that each take all of the function's 120 s | a smaller `bulkTimeout` |
| 10 GB of a table | Step Functions' ItemReader | some 100 million keys | an inventory, whose files each may have that, or several tables |

The limits are AWS's defaults as its documentation names them; none of them was reached here. `status` shows what a run costs while it is at work.
"""


def hours(way: Way, images: int) -> float:
    return images / way.rate / 3600


def cost(way: Way, images: int) -> float:
    """Dollars, for the images, the hours and the job."""
    return images / 1000 * _sum(way.thousand) + hours(way, images) * dollars(way.hour) + dollars(way.once)


def _sum(arithmetic: str) -> float:
    return sum(dollars(part) for part in arithmetic.split(" + "))


def page() -> str:
    return "\n".join([INTRODUCTION, *(_table(images) for images in SIZES)]) + ADVICE


def _table(images: int) -> str:
    rows = [f"| {images:,} images | images/s | bounded by | hours | $ |", "| --- | ---: | --- | ---: | ---: |"]
    rows += [
        f"| {way.name} | {way.rate:,.0f} | {way.bound} | {hours(way, images):,.2f} | {cost(way, images):,.2f} |"
        for way in WAYS
    ]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
