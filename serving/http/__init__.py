"""Everything that knows HTTP: one Flask app behind API Gateway, behind gunicorn and on a laptop. It never meets serving/uploads."""
