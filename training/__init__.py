"""Offline training: a folder of labelled images → a published model. Run it with `python -m training --help`."""
