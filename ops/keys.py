"""`python -m ops.keys`: make a key for a caller, and the digest of it for API_KEYS. Nothing is kept."""

import hashlib
import secrets

BYTES = 32  # of randomness; nobody guesses it, so that a plain SHA-256 of it is enough


def main() -> None:
    key = secrets.token_urlsafe(BYTES)
    print(f"for the caller, in X-Api-Key:  {key}")
    print(f"for the service, in API_KEYS:  {hashlib.sha256(key.encode()).hexdigest()}")


if __name__ == "__main__":
    main()
