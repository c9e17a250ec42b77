#!/usr/bin/env bash
# Install Chromium, in which the tests open the leaderboard, with the packages of the system.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" > /dev/null; then
        exit 0
    fi
done
"$(dirname "$0")/system_packages.sh" "make chromium" chromium fonts-dejavu-core
