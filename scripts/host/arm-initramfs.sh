#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: Apache-2.0
# First process of the emulated Arm server's initial RAM disk: finds the disk and hands over to its init.
/bin/busybox mkdir -p /proc /sys /dev /root /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
root=/dev/vda1
read -r line </proc/cmdline
for word in $line; do
  case $word in root=*) root=${word#root=} ;; esac
done
# a kernel with these drivers built in has no modules here, and needs none
for module in /modules/*.ko; do
  [ -e "$module" ] && insmod "$module"
done
n=0
until [ -b "$root" ] || [ "$n" -ge 100 ]; do
  n=$((n + 1))
  sleep 0.1
done
mount -t ext4 -o ro "$root" /root || {
  echo "initramfs: $root cannot be mounted; block devices:"
  cat /proc/partitions
  exec reboot -f
}
# guests share one read-only disk: what they write stays in their memory
if grep -qw aetool.overlay /proc/cmdline; then
  mkdir -p /lower /memory
  mount --move /root /lower
  mount -t tmpfs tmpfs /memory
  mkdir /memory/upper /memory/work
  mount -t overlay -o lowerdir=/lower,upperdir=/memory/upper,workdir=/memory/work overlay /root
fi
umount /proc /sys
mount --move /dev /root/dev
exec switch_root /root /sbin/init
