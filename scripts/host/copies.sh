#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One copy of a guest's disk image for each guest, each with an address of its own. Read by bash on the host.
# Usage: bash -s -- look IMAGE FILE BASE ADDRESS...
#        bash -s -- apply IMAGE FILE BASE ADDRESS...
# IMAGE is one ext file system, as QEMU's guests get it. FILE, a path in it, holds the address BASE; copy number n
# is IMAGE with -n before its suffix, and holds the n-th ADDRESS instead. `look` prints a line for each copy
# that is missing, older than IMAGE, or holds another address. Works on the file system's structure: nothing is
# mounted.
set -euo pipefail
action=$1 image=$2 file=$3 base=$4
shift 4
stem=${image%.*} suffix=${image##*.}

holds() { debugfs -R "cat /$2" "$1" 2>/dev/null; }
wrong() {
  if [ ! -f "$1" ]; then
    echo "is missing"
  elif [ "$image" -nt "$1" ]; then
    echo "is older than $image"
  elif ! holds "$1" "$file" | grep -qwF "$2"; then
    echo "does not hold $2"
  fi
}

[ "$action" = look ] || {
  if [ ! -f "$image" ]; then
    echo "$image is not there" >&2
    exit 1
  fi
  if ! holds "$image" "$file" | grep -qwF "$base"; then
    echo "$image: /$file does not hold $base: not the image of a guest, or one with partitions" >&2
    exit 1
  fi
  work=$(mktemp -d -- "$(dirname -- "$image")/copies.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
}
number=0
for address; do
  number=$((number + 1))
  copy=$stem-$number.$suffix
  why=$(wrong "$copy" "$address")
  [ -n "$why" ] || continue
  if [ "$action" = look ]; then
    echo "$copy $why"
    continue
  fi
  cp --sparse=always --reflink=auto -- "$image" "$work/image"
  # status 1: errors were corrected, as after a guest that was not shut down
  e2fsck -p "$work/image" >&2 || [ $? = 1 ]
  debugfs -R "dump /$file $work/text" "$work/image" 2>/dev/null
  sed -i "s/${base//./\\.}\b/$address/g" "$work/text"
  mode=$(debugfs -R "stat /$file" "$work/image" 2>/dev/null | sed -n 's/.*Mode: *\([0-7]*\).*/\1/p')
  printf 'rm /%s\nwrite %s /%s\nset_inode_field /%s mode 010%s\nset_inode_field /%s uid 0\nset_inode_field /%s gid 0\n' \
    "$file" "$work/text" "$file" "$file" "$mode" "$file" "$file" >"$work/commands"
  debugfs -w -f "$work/commands" "$work/image" >/dev/null 2>&1
  holds "$work/image" "$file" | grep -qwF "$address"
  mv -fT -- "$work/image" "$copy"
  echo "$copy $address"
done
