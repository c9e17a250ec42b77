#!/usr/bin/env bash
# Install Chromium, in which the tests open the leaderboard, with the packages of the system.
set -euo pipefail

for name in chromium chromium-browser google-chrome; do
    if command -v "$name" > /dev/null; then
        exit 0
    fi
done
if ! command -v apt-get > /dev/null; then
    echo "make chromium knows Debian and Ubuntu; install Chromium as this system does" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo --non-interactive true 2> /dev/null; then
    sudo=sudo
else
    echo "make chromium needs the system package chromium; run this:" >&2
    echo "    sudo apt-get install --yes --no-install-recommends chromium" >&2
    exit 1
fi
# A fresh machine has no package lists; one that has old ones can do without new ones.
$sudo apt-get update --quiet || true
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium fonts-dejavu-core
