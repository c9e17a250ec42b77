#!/usr/bin/env bash
# Fetch what a machine with Python 3.12, torch and numpy lacks to run the suite into build/gpu-wheels: ten wheels,
# ours among them, and the last commit, for scripts/gpu_check.sh on a machine without a package index or a clone.
#     scripts/gpu_wheels.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3} wheels=build/gpu-wheels
rm -rf "$wheels"
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" .
# The versions that are tested, so that none of them comes twice.
grep -iE '^(gymnasium|pettingzoo|pydantic|pydantic_core|rich-click|farama-notifications|annotated-types|typing-inspection|typing_extensions)==' \
    constraints.txt > "$wheels/requirements.txt"
"$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux2014_x86_64 --dest "$wheels" --requirement "$wheels/requirements.txt"
rm "$wheels/requirements.txt"
# What is measured there says which commit it is of.
git clone --quiet --bare --depth 1 "file://$PWD" "$wheels/head.git"
du -sh "$wheels"
ls "$wheels"
