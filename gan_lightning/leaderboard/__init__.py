"""Runs side by side: settings ranked by their scores, with seeds as the unit of all tests."""
