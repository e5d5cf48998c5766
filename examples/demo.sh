#!/usr/bin/env bash
# The environment as a node of a DVC pipeline, step by step: what reruns, what does not, what
# comes back from the cache. Everything is real: packages come from the registry, DVC decides.
# Each step states what must happen and ends the demo with a clear line where it does not.
#
#   PYTHON=python3.12   the interpreter to use (3.10 or newer)
#   KEEP=1              keep the scratch folder
set -euo pipefail

project=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/envstage-demo.XXXXXX")
output=$scratch/output.txt

# Nobody's settings take part: neither Git's, DVC's, pip's target folders nor an active environment.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX PIP_USER ENVSTAGE_MODE
for name in $(compgen -e | grep '^DVC_' || true); do unset "$name"; done
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export DVC_NO_ANALYTICS=1 DVC_GLOBAL_CONFIG_DIR=$scratch/config DVC_SYSTEM_CONFIG_DIR=$scratch/config
export DVC_SITE_CACHE_DIR=$scratch/site ENVSTAGE_CACHE=$scratch/cache
export PIP_DISABLE_PIP_VERSION_CHECK=1 COLUMNS=${COLUMNS:-120}

finish() {
  local code=$?
  if [ "${KEEP:-}" = 1 ]; then
    echo "Kept: $scratch (source $scratch/venv/bin/activate, cd $scratch/pipeline)"
  else
    rm -rf "$scratch"
  fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

step=0
heading() { step=$((step + 1)); printf '\n== %d. %s\n' "$step" "$1"; }
say() { printf '%s\n' "$*"; }

# Echo a command, run it, keep what it says. An expected exit code other than 0 comes first.
run() {
  local expected=0 code=0
  if [[ $1 =~ ^[0-9]+$ ]]; then expected=$1; shift; fi
  printf '\n$'
  local word
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9=_./~:,-]*) printf " '%s'" "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  "$@" </dev/null 2>&1 | tee "$output" || code=${PIPESTATUS[0]}
  [ "$code" -eq "$expected" ] || fail "'$*' ended with exit code $code, not $expected"
}

fail() { printf '\nDEMO FAILED at step %d: %s\n' "$step" "$*" >&2; exit 1; }
expect() { grep -qF -- "$1" "$output" || fail "expected to read: $1"; }
refuse() { ! grep -qF -- "$1" "$output" || fail "expected not to read: $1"; }
refuse_in() { ! grep -qF -- "$2" "$1" || fail "$1 names $2"; }
nothing_ran() {
  local stage
  for stage in fetch prepare train evaluate; do
    expect "Stage '$stage' didn't change, skipping"
    refuse "Running stage '$stage'"
  done
}
commit() { git add -A && git commit -q -m "$1"; }

say "Scratch folder: $scratch"

heading "A virtual environment with DVC, scikit-learn and envstage"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
  || fail "'$python' is not Python 3.10 or newer: set PYTHON"
"$python" -m venv "$scratch/venv" || fail "'$python' cannot make virtual environments"
export PATH=$scratch/venv/bin:$PATH
cp -R "$project/examples/dvc" "$scratch/pipeline"
# What somebody's own run left there does not belong to the demo.
rm -rf "$scratch"/pipeline/{.git,.dvc,.envstage,data,dvc.lock,model.joblib,metrics.json}
find "$scratch/pipeline/environment" -mindepth 1 -not -name .gitignore -delete
cd "$scratch/pipeline"
say "(a minute: packages are downloaded)"
python -m pip install --quiet "$project[dvc]" -r requirements.txt
git init --quiet .
git config user.name "Demo" && git config user.email "demo@example.org"
dvc init --quiet
commit "A pipeline"
run dvc stage list

heading "The first run: the environment is captured, every stage runs and is observed"
run dvc repro
expect "Running stage 'prepare'"
expect "Running stage 'train'"
expect "Running stage 'evaluate'"
expect "view train:"
say "A stage's view now holds what its run used: train used joblib, prepare did not."
run envstage show environment/views/train.json --fact packages.joblib
expect "1.5.2"
refuse_in environment/views/prepare.json joblib

heading "Nothing changed: nothing runs"
run dvc repro
nothing_ran
say "dvc.lock took in the views as the runs left them. That happens once."
commit "First results"
first=$(git rev-parse HEAD)
run dvc repro
nothing_ran
[ -z "$(git status --porcelain)" ] || fail "the working tree is not as it was committed"
say "The working tree is as it was committed."

heading "A package that no stage uses: nothing runs"
run python -m pip install --quiet pycodestyle
run dvc repro
expect "pycodestyle"
nothing_ran
commit "A linter"

heading "A package that two stages use: these two run again"
run python -m pip install --quiet joblib==1.5.1
run dvc repro
expect "joblib 1.5.2"
expect "Stage 'prepare' didn't change, skipping"
expect "Running stage 'train'"
expect "Running stage 'evaluate'"
run dvc repro
nothing_ran
commit "joblib 1.5.1"

heading "What changed between the two commits, as DVC and as envstage say it"
run dvc diff HEAD~1 HEAD
expect "environment/facets"
run dvc params diff HEAD~1 HEAD
expect "env.joblib"
run 1 envstage diff HEAD~1 HEAD
expect "joblib"

heading "The package goes back, the linter stays: the results come from the run cache"
run python -m pip install --quiet joblib==1.5.2
run dvc repro
expect "Stage 'train' is cached - skipping run"
expect "Stage 'evaluate' is cached - skipping run"
refuse "Running stage 'train'"
git diff --quiet "$first" -- environment/views metrics.json \
  || fail "the first results did not come back as they were"
say "The views and metrics.json are those of the first results, byte for byte."
commit "joblib 1.5.2 again"

heading "The environment beside the metrics"
run dvc exp show --md --num 4 \
  --drop "data|src|model|prepare|environment/|typ|parent|seed|Created|evaluate"
expect "env.joblib"
expect "1.5.1"
run envstage check
expect "this machine matches"

printf '\nEverything happened as it should.\n'
