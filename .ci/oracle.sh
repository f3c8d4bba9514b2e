#!/usr/bin/env bash
# The independent readers and judges that the suite compares with are themselves right on known hives.
source "$(dirname "$0")/corpus.sh"

"$ci/install.sh" base python
"$HIVESMITH_PYTHON" -m unittest tests/oracle/test_*.py
