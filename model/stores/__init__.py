"""Where trained models are kept: <store>/<name>/<version>/, TensorFlow Serving's layout; a version never changes."""
