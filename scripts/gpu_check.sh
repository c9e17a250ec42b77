#!/usr/bin/env bash
# Check the suite on a machine with a GPU, Python 3.12, torch and no package index: tests, then measurements and
# trainings, into $OUT (build/gpu by default). On a CPU it is a rehearsal with small sizes.
#     scripts/gpu_wheels.sh                        # before, where there is an index
#     OUT=folder scripts/gpu_check.sh [cuda|cpu]   # SECONDS_LEFT=400, STAGES='waits,kernels', TESTS=no
set -uo pipefail
cd "$(dirname "$0")/.."
device=${1:-cuda} out=${OUT:-build/gpu} site=${SITE:-build/gpu-site} seconds=${SECONDS_LEFT:-400}
python=${PYTHON:-python3} quick=() began=$SECONDS
[ "$device" != cpu ] || quick=(--quick)
mkdir -p "$out"
# The commit that came along is the one to compare the tree with, whatever is known of others here.
if [ -d build/gpu-wheels/head.git ] && command -v git > /dev/null; then
    export GIT_DIR=$PWD/build/gpu-wheels/head.git GIT_WORK_TREE=$PWD
    git config core.bare false && git reset --quiet && git status --short --untracked-files=no
fi
"$python" -m pip install --quiet --no-index --no-deps --no-compile --no-cache-dir --upgrade \
    --target "$site" build/gpu-wheels/*.whl || { echo "no wheels; try: scripts/gpu_wheels.sh"; exit 1; }
# The wheel of ours only tells the version: what counts is the tree here.
rm -rf "${site:?}"/{stmg_envs,baselines,wrappers}
export PYTHONPATH=$PWD:$site PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1
passed=0
if [ "${TESTS:-yes}" = yes ]; then
    "$python" -m pytest -m device tests/device --device "$device" --numprocesses "${TEST_PROCESSES:-6}" \
        -p no:cacheprovider -p no:benchmark 2>&1 | tee "$out/tests.txt" | tail -25
    passed=${PIPESTATUS[0]}
fi
"$python" -m benchmarks.gpu --device "$device" --out "$out" "${quick[@]}" --stages "${STAGES:-}" \
    --seconds $((seconds - (SECONDS - began))) 2>&1 | tee "$out/log.txt"
measured=${PIPESTATUS[0]}
exit $((passed ? passed : measured))
