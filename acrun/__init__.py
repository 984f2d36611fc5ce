"""acrun."""
