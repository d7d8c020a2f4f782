"""Work spread over a Ray cluster, whatever the work is. What is not asked to run there imports nothing of it."""
