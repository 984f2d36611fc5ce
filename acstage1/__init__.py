"""acstage1."""
