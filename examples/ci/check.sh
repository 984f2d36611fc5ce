#!/bin/sh
# What a CI does with an image: is it right, will it run, and does its layout build it again, byte for byte?
#
#     check.sh LAYOUT_DIR IMAGE.aci [REPORTS]
#
# Reports are written also when something is wrong. Exit 1 when the image is at fault, or not what the layout builds.
set -u
layout=$1 image=$2 reports=${3:-reports}
mkdir -p "$reports"
status=0
# One file for each reader: JUnit's XML for lists of tests, SARIF for code scanning. People read standard error.
actool validate --strict --format junit --output "$reports/images.xml" "$image" "$layout" || status=1
actool validate --format sarif --output "$reports/images.sarif" "$image" "$layout" || status=1
actool validate --strict "$image" || status=1
# The Makefile of examples/hello builds with these two.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000} actool verify-repro --owner-root --fixed-modes --exact "$layout" "$image" || status=1
exit "$status"
