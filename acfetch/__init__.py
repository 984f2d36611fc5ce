"""acfetch."""
