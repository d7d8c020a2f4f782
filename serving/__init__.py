"""The edge: everything that knows HTTP, Lambda events or environment variables. It imports `model`, never `training`."""
