#!/usr/bin/env bash
# Adds up what the test runners said: summary.sh STATUS LOG. A step that failed without a test counts as one failure.
set -euo pipefail
awk -v status="$1" '
  /^test result:/ { for (i = 2; i <= NF; i++) { if ($i == "passed;") passed += $(i - 1); if ($i == "failed;") failed += $(i - 1) } }
  /^(#|ℹ) (pass|fail) [0-9]+$/ { if ($2 == "pass") passed += $3; else failed += $3 }
  END {
    if (status != 0 && failed == 0) failed = 1
    printf "\n%d passed, %d failed\n", passed, failed
  }' "$2"
