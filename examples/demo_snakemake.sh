#!/usr/bin/env bash
# The environment as a rule of a Snakemake workflow, step by step. Everything is real; each step
# states what must happen and ends the demo with a clear line where it does not.
#
#   PYTHON=python3.12   the interpreter to use (3.11 or newer: Snakemake's own minimum)
#   KEEP=1              keep the scratch folder
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/envstage-demo.XXXXXX")
output=$scratch/output.txt

unset VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER ENVSTAGE_MODE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 ENVSTAGE_CACHE=$scratch/cache
export XDG_CACHE_HOME=$scratch/xdg PIP_CACHE_DIR=${PIP_CACHE_DIR:-$HOME/.cache/pip}
export PIP_DISABLE_PIP_VERSION_CHECK=1

finish() {
  local code=$?
  if [ "${KEEP:-}" = 1 ]; then echo "Kept: $scratch"; else rm -rf "$scratch"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

step=0
heading() { step=$((step + 1)); printf '\n== %d. %s\n' "$step" "$1"; }
fail() { printf '\nDEMO FAILED at step %d: %s\n' "$step" "$*" >&2; exit 1; }
run() {
  printf '\n$ %s\n' "$*"
  "$@" </dev/null 2>&1 | tee "$output" || fail "'$*' failed"
}
expect() { grep -qF -- "$1" "$output" || fail "expected to read: $1"; }
refuse() { ! grep -qF -- "$1" "$output" || fail "expected not to read: $1"; }

heading "A virtual environment with Snakemake, scikit-learn and envstage"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "Snakemake needs Python 3.11 or newer, and '$python' is older: skipped"; exit 0; }
"$python" -m venv "$scratch/venv"
export PATH=$scratch/venv/bin:$PATH
cp -R "$project/examples/snakemake" "$scratch/workflow"
cd "$scratch/workflow"
rm -rf .git .snakemake .envstage data model.joblib metrics.json
find environment -mindepth 1 -not -name .gitignore -delete
echo "(a minute: packages are downloaded)"
python -m pip install --quiet "$project[snakemake]" -r requirements.txt
git init --quiet .
git config user.name "Demo" && git config user.email "demo@example.org"

heading "The first run: views are captured, every rule runs, and views shrink to what was used"
run snakemake -c1 --quiet rules
expect "envstage: view train:"
expect "envstage: view evaluate:"
git add -A && git commit -q -m "First results"

heading "Nothing changed: nothing to be done"
run snakemake -n --quiet rules
expect "Nothing to be done"

heading "A package that nothing depends on: nothing to be done"
run python -m pip install --quiet colorama
run snakemake -n --quiet rules
expect "Nothing to be done"

heading "A package that the model depends on"
run python -m pip install --quiet joblib==1.5.1
run snakemake -n
expect ".envstage/stamps/environment/train"
expect "rule train:"
refuse "rule fetch:"
run envstage why model.joblib
expect "packages.joblib  1.5.2 → 1.5.1 (downgrade)"

heading "It goes back before anything ran: nothing to be done"
run python -m pip install --quiet joblib==1.5.2
run snakemake -n --quiet rules
expect "Nothing to be done"
[ -z "$(git status --porcelain)" ] || fail "the working tree is not as it was committed"

heading "The change is taken for harmless: on record, and nothing runs"
run python -m pip install --quiet joblib==1.5.1
run envstage accept model.joblib --yes --why "a patch release, read its notes"
run envstage accept metrics.json --yes --why "a patch release, read its notes"
run snakemake -n --quiet rules
expect "Nothing to be done"

printf '\nEverything happened as it should.\n'
