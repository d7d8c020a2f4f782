"""The contract that training and serving share: what an image becomes, what a trained model is, where it is kept.

It knows no HTTP, no command line and no environment variable, and imports neither `training` nor `serving`.
"""
