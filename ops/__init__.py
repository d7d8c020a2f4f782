"""What an operator runs on their own machine: none of it is in the image, and nothing imports it."""
