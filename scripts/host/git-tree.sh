#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A commit of a repository as a tree on this host. Read by bash from its standard input.
# Usage: bash -s -- look DIRECTORY COMMIT SUBMODULES
#        bash -s -- apply DIRECTORY COMMIT SUBMODULES REWRITES [FROM TO]... URL...
# COMMIT is 7 to 40 hex digits, perhaps with ~N. SUBMODULES is 0 or 1. Each FROM is the beginning of a submodule's
# URL that is served as TO now; REWRITES says how many pairs there are. `look` prints what keeps the tree from
# being the commit, or nothing.
set -euo pipefail
action=$1 dir=$2 commit=$3 submodules=$4
shift 4
options=(-c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60 -c advice.detachedHead=false -c safe.directory='*')
export GIT_TERMINAL_PROMPT=0
# standard input is this script: git must not read it
g() { git "${options[@]}" -C "$dir" "$@" </dev/null; }
have() { g rev-parse -q --verify "$commit^{commit}" || true; }

if [ "$action" = look ]; then
  if [ ! -e "$dir/.git" ]; then
    echo "is not there"
  elif want=$(have) && [ -z "$want" ]; then
    echo "has no commit $commit"
  elif [ "$(g rev-parse -q --verify HEAD || true)" != "$want" ]; then
    echo "is at another commit"
  elif [ "$submodules" = 1 ]; then
    g submodule status --recursive | sed -n 's/^[-+U]\S* \(\S*\).*/its submodule \1 is not at its commit/p'
  fi
  exit
fi

rewrites=$1
shift
for ((i = 0; i < rewrites; i++)); do
  options+=(-c "url.$2.insteadOf=$1")
  shift 2
done
mkdir -p -- "$dir"
if [ ! -e "$dir/.git" ]; then
  if [ -n "$(ls -A -- "$dir")" ]; then
    echo "$dir holds something that is not a repository" >&2
    exit 1
  fi
  g init -q
fi
base=${commit%%~*} back=0
[ "$base" = "$commit" ] || back=${commit##*~}
want=$(have)
for url; do
  [ -z "$want" ] || break
  if [ ${#base} = 40 ]; then
    g fetch -q --depth $((back + 1)) "$url" "$base" || continue
  else
    # a shortened name can only be found among all commits
    g fetch -q "$url" '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*' || continue
  fi
  want=$(have)
  if [ -z "$want" ]; then
    echo "$url has no commit $commit" >&2
    continue
  fi
  g remote remove origin 2>/dev/null || true
  g remote add origin "$url"
done
if [ -z "$want" ]; then
  echo "none of the URLs gives the commit $commit" >&2
  exit 1
fi
if [ "$(g rev-parse -q --verify HEAD || true)" != "$want" ]; then
  if [ -n "$(g status --porcelain --untracked-files=no)" ]; then
    echo "$dir has changes that are not committed: commit them or take them back" >&2
    exit 1
  fi
  g checkout -q --detach "$want"
fi
[ "$submodules" = 0 ] || g submodule -q update --init --recursive --depth 1
