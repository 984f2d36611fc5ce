"""The App Container format: values, readers and directories that all four tools share."""

SPEC_VERSION = "0.8.11"
