"""What an operator runs at their own desk: none of it is in the image, and nothing imports it."""
