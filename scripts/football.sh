#!/usr/bin/env bash
# Build the football engine, gfootball 2.10.2, on Debian or Ubuntu into a virtual environment.
#
#     scripts/football.sh .venv/bin
set -euo pipefail

bin=$(cd "$1" && pwd)
packages=(
    g++ make cmake libpython3-dev
    libboost-python-dev libboost-thread-dev libboost-filesystem-dev libboost-system-dev
    libsdl2-dev libsdl2-image-dev libsdl2-ttf-dev libsdl2-gfx-dev
    libegl1-mesa-dev libgl1-mesa-dev libgles2-mesa-dev libgl1-mesa-dri
)

if "$bin/python" -c 'import gfootball.env.config' 2> /dev/null; then
    exit 0
fi

"$(dirname "$0")/system_packages.sh" "make football" "${packages[@]}"

version=$("$bin/python" -c 'import sys; print("%d%d" % sys.version_info[:2])')
if ! compgen -G "/usr/lib/*/libboost_python$version.so" > /dev/null; then
    echo "Boost.Python of this system is for another Python than $("$bin/python" --version);" >&2
    echo "make the environment anew with the system's: make clean; make PYTHON=/usr/bin/python3 football" >&2
    exit 1
fi

# The engine's build looks for python3, psutil and setuptools in the environment, and asks for CMake's old rules.
# gfootball imports gym, a retired package, only to register its scenarios there, which nobody here uses; nothing
# else that they name as requirements is imported.
export PATH="$bin:$PATH" CMAKE_POLICY_VERSION_MINIMUM=3.5
# Its vectors and quaternions are small functions of other files. Inlined when all is linked, they leave every bit of
# a match as it is, and a step takes a quarter less time.
export CXXFLAGS="-flto=auto -fno-semantic-interposition ${CXXFLAGS:-}"
pip() { "$bin/python" -m pip install --quiet --constraint constraints.txt "$@"; }
pip --editable '.[football]' setuptools wheel
pip --no-deps --no-build-isolation gym
# pip would keep what it builds, and give it to the next environment even if it was built in another way.
pip --no-deps --no-build-isolation --no-cache-dir gfootball
"$bin/python" -c 'import gfootball.env.config'
