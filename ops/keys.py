"""`python -m ops.keys`: make a key for a caller, and the digest of it for API_KEYS. Nothing is kept."""

import hashlib
import secrets
from argparse import ArgumentParser

BYTES = 32  # of randomness; nobody guesses it, so that a plain SHA-256 of it is enough


def main() -> None:
    description = "Make a key for a caller, and its digest for the service's API_KEYS. Nothing is kept."
    ArgumentParser(prog="python -m ops.keys", description=description).parse_args()
    key = secrets.token_urlsafe(BYTES)
    print(f"for the caller, in X-Api-Key:  {key}")
    print(f"for the service, in API_KEYS:  {hashlib.sha256(key.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
