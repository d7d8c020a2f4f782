"""`python -m ops.bulk`: many images → one table, on this machine, on a Ray cluster, or in AWS by what serverless.yml deploys."""
