"""What evaluate.py does: candidates, a judge, a table, a JSON file and a picture."""
