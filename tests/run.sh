#!/bin/sh
# Run the tests on all processors, then say what they covered. As root, a skipped test is a failure: CI is root.
set -eu
bin=$1
cd "$(dirname "$0")/.."
PATH="$(cd "$bin" && pwd):$PATH"
export PATH
rm -f .coverage .coverage.*
rm -rf .pytest_cache
status=0
coverage run -m pytest -q -n 2 --dist worksteal || status=$?
coverage combine -q
coverage report
# 1: tests have failed; everything else is no matter of luck.
if [ "$status" = 1 ]; then
    python tests/again.py && status=0
fi
exit "$status"
