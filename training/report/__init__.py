"""The report on a training: what a person needs to know whether to ship a model, and what to do next."""
