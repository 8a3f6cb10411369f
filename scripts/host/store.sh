#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A disk of its own for what is large. Read by bash from its standard input on the host.
# Usage: bash -s -- look MOUNT DEVICE LEAST_GIB     DEVICE may be empty: the only empty disk
#        bash -s -- apply MOUNT DEVICE LEAST_GIB
# `look` changes nothing and prints one line: done WHAT, listed DEVICE (mounted, but not in fstab), ours DEVICE
# (made here before), free DEVICE, or blocked REASON. `apply` makes a file system on an empty device only.
set -euo pipefail
action=$1 mount=$2 device=$3 least=$4

# Empty: no signature, no partition, nothing that uses it, large enough.
why() {
  [ -b "$1" ] || { echo "is not a block device" && return; }
  local size found
  size=$(blockdev --getsize64 "$1" 2>/dev/null) || { echo "cannot be read" && return; }
  grep -q "^$1 " /proc/mounts && { echo "is mounted elsewhere" && return; }
  found=$(blkid -p -o export "$1" 2>/dev/null | grep -E '^(TYPE|PTTYPE|LABEL)=' | sort | tr '\n' ' ') || true
  [ "$found" != "LABEL=aetool TYPE=ext4 " ] || { echo ours && return; }
  [ -z "$found" ] || { echo "is not empty: $found" && return; }
  [ -z "$(wipefs -n -p "$1" 2>/dev/null | grep -v '^#' || true)" ] || { echo "is not empty" && return; }
  [ -z "$(ls "/sys/class/block/${1##*/}/holders" 2>/dev/null)" ] || { echo "is in use" && return; }
  awk -v size="$size" -v least="$least" 'BEGIN { exit !(size >= least * 1073741824) }' ||
    { echo "holds $((size >> 20)) MiB, $least GiB are wanted" && return; }
  echo free
}

look() {
  local found path name candidates=()
  if found=$(findmnt -n -o SOURCE,FSTYPE,SIZE -M "$mount"); then
    if grep -qE "^[^#[:space:]]+[[:space:]]+${mount}[[:space:]]" /etc/fstab; then
      echo "done $(tr -s ' ' <<<"$found")"
    else
      echo "listed ${found%% *}"
    fi
    return
  fi
  if [ -d "$mount" ] && [ -n "$(ls -A -- "$mount")" ]; then
    echo "blocked $mount is a directory that holds files"
    return
  fi
  if [ -n "$device" ]; then
    found=$(why "$device")
    case $found in
      free | ours) echo "$found $device" ;;
      *) echo "blocked $device $found" ;;
    esac
    return
  fi
  for path in /sys/class/block/*; do
    name=${path##*/}
    # whole disks that have a node here; a loop device counts when it is named
    if [ ! -e "$path/device" ] || [ ! -b "/dev/$name" ] || compgen -G "$path/$name*" >/dev/null; then
      continue
    fi
    found=$(why "/dev/$name")
    case $found in
      ours)
        echo "ours /dev/$name"
        return
        ;;
      free) candidates+=("/dev/$name") ;;
    esac
  done
  case ${#candidates[@]} in
    0) echo "blocked this host has no empty disk of $least GiB or more" ;;
    1) echo "free ${candidates[0]}" ;;
    *) echo "blocked several disks are empty, name one of them: ${candidates[*]}" ;;
  esac
}

if [ "$action" = look ]; then
  look
  exit
fi
read -r state found <<<"$(look)"
case $state in
  free) mkfs.ext4 -q -L aetool "$found" </dev/null ;;
  ours | listed) ;;
  *)
    echo "$state $found" >&2
    exit 1
    ;;
esac
mkdir -p -- "$mount"
[ "$state" = listed ] || mount -t ext4 "$found" "$mount"
uuid=$(blkid -p -s UUID -o value "$found")
kept=$(grep -vE "^[^#[:space:]]+[[:space:]]+${mount}[[:space:]]" /etc/fstab || true)
printf '%s\nUUID=%s %s ext4 defaults,nofail 0 2\n' "$kept" "$uuid" "$mount" >/etc/fstab
