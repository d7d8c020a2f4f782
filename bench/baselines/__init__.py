"""What people use today, each written the way its users write it, in our own words."""
