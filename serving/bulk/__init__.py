"""Batches of images in S3, as a Distributed Map of Step Functions hands them out: handler.bulk."""
