#!/usr/bin/env bash
# The wheel works on its own: built from the sdist, installed in an empty virtual environment, and
# used from an empty directory, where no file of the checkout can stand in for a missing one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/empty"
unset PYTHONPATH
export PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

fail() {
  echo "wheel test: $*" >&2
  exit 1
}

# expect STATUS COMMAND...: the command's exit status must be STATUS.
expect() {
  local wanted=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" -eq "$wanted" ] || fail "'${*##*/}' exited with $status instead of $wanted"
}

# An sdist first, then the wheel from it: a file missing from either shows.
"$python" -m build --outdir "$work/dist" "$root" >"$work/build.log" 2>&1 ||
  { cat "$work/build.log" >&2; fail "the build failed"; }

"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet -c "$root/constraints.txt" "$work"/dist/*.whl

cd "$work/empty"
qrun_equiv=$work/venv/bin/qrun-equiv
expect 0 "$qrun_equiv" list
expect 0 "$qrun_equiv" doctor
expect 0 "$qrun_equiv" verify --jobs 2 --json "$work/verdicts.json"
expect 2 "$qrun_equiv" verify no-such-file.py
expect 0 "$qrun_equiv" proofs --chapter 5

# What was certified in the checkout is accepted by the installed copy.
expect 0 "$qrun_equiv" recheck "$root"/reports/catalogue/certificates/serial-3.json \
  "$root"/reports/catalogue/certificates/mistake-half-angle.json

"$work/venv/bin/python" - "$work/verdicts.json" <<'PYTHON'
import json
import sys
from pathlib import Path

pairs = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["pairs"]
if not pairs or not all(pair["as_claimed"] for pair in pairs):
    sys.exit(f"wheel test: {len(pairs)} pairs verified, and not all of them as claimed")
PYTHON

echo "wheel ok"
