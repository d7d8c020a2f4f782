"""Lambda's sizes: a function is given memory, and with it a share of the CPU and a price."""

from bench.limits import Limit
from bench.machine import CORES

SIZES = (512, 1024, 1769, 3008)  # MB; 1,769 is one vCPU
MB_PER_CPU = 1769  # AWS Lambda developer guide, "Configure Lambda function memory"


def limit(memory_mb: int) -> Limit:
    return Limit(memory_mb, min(CORES, memory_mb / MB_PER_CPU))


def environment(memory_mb: int) -> dict[str, str]:
    """What Lambda tells a function."""
    return {"AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb)}
