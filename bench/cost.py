"""What a thousand images cost: AWS's published price arithmetic on the times that `cold` measured in Lambda's sizes."""

from bench.lambda_sizes import SIZES
from bench.results import DRY, RESULTS, read_results
from bench.section import Found, Goal, Setup
from bench.tables import figure, section, table

GB_SECOND = 0.0000166667  # $; x86, us-east-1: aws.amazon.com/lambda/pricing
REQUEST = 0.20 / 1e6  # $; the same page
REKOGNITION = 1.00  # $ per 1,000 images, DetectLabels, the first million a month: aws.amazon.com/rekognition/pricing
IMAGES = 1000


def measure(setup: Setup) -> Found:
    """Measure nothing: compute. Raises KeyError where `cold` has no results."""
    cold = read_results(DRY if setup.quick else RESULTS)["cold"]["found"]
    if "not_measured" in cold["lambda"]:
        return {"not_measured": cold["lambda"]["not_measured"]}
    return {
        name: {
            "title": cold["starts"][name]["title"],
            "sizes": {mb: _dollars(int(mb), entry) for mb, entry in sizes.items()},
        }
        for name, sizes in cold["lambda"].items()
    }


def _dollars(memory_mb: int, times: Found | None) -> Found | None:
    """For a thousand images: all answered by a running function, and as if each met a new one."""
    if times is None:
        return None
    return {
        "warm": per_thousand(memory_mb, times["warm_ms"]["p50"] / 1000),
        "cold": per_thousand(memory_mb, times["start"]["median"]),
    }


def per_thousand(memory_mb: int, seconds: float) -> float:
    """$ for a thousand calls of this length."""
    return IMAGES * (memory_mb / 1024 * seconds * GB_SECOND + REQUEST)


def tables(found: Found) -> str:
    if "not_measured" in found:
        return section("Cost", f"Not measured here: {found['not_measured']}.")
    rows = [[entry["title"], *(_cell(entry["sizes"][str(mb)]) for mb in SIZES)] for entry in found.values()]
    note = (
        f"Duration × memory × ${GB_SECOND} a GB-second + ${REQUEST * 1e6:.2f} a million requests (x86, us-east-1), on the times in "
        "boxes above. A gateway adds $1.00 (HTTP API) or $3.50 (REST API) a million. "
        f"Amazon Rekognition's DetectLabels lists ${REKOGNITION:.2f} per 1,000 images."
    )
    return section("Cost", table(["$ per 1,000 images: warm / all cold", *(f"{mb:,} MB" for mb in SIZES)], rows), note)


def _cell(dollars: Found | None) -> str:
    return f"{figure(dollars['warm'])} / {figure(dollars['cold'])}" if dollars else "out of memory"


def goals(_: Found) -> list[Goal]:
    return []  # none was set
