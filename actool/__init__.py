"""actool."""
