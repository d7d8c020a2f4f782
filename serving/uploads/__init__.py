"""Images that are put into a bucket: events in, results beside the images out. It never meets serving/http."""
