#!/usr/bin/env bash
# Install packages of the system where this may be done (Debian, Ubuntu), and say how where it may not.
#
#     scripts/system_packages.sh "what needs them" package...
#
# Packages that are there already cost nothing.
set -euo pipefail

purpose=$1
shift
missing=()
for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2> /dev/null | grep -q 'ok installed' ||
        missing+=("$package")
done
if [ ${#missing[@]} = 0 ]; then
    exit 0
fi

install="apt-get install --yes --no-install-recommends ${missing[*]}"
if ! command -v apt-get > /dev/null; then
    echo "$purpose: only Debian and Ubuntu are known; install what these packages have: ${missing[*]}" >&2
    exit 1
elif [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo --non-interactive true 2> /dev/null; then
    sudo=sudo
else
    echo "$purpose: system packages are missing; run this, then make again:" >&2
    echo "    sudo $install" >&2
    exit 1
fi
# A fresh machine has no package lists; one that has old ones can do without new ones.
$sudo apt-get update --quiet || true
$sudo env DEBIAN_FRONTEND=noninteractive $install
