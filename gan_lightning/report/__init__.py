"""`report.html` and `samples.gif` of a run: curves, pictures, scores and records in one page."""
