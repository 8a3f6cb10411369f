#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# First process of a host of the netns lab: gives it a root file system, a name and sshd.
# Usage: netns-init.sh NAME KEYS   (as process 1 of new mount, uts, ipc and pid namespaces)
#   KEYS holds NAME.host_key (private) and user_key.pub.
# What the host writes stays in memory and goes with the host: the root is an overlay over the machine's.
set -euo pipefail
name=$1
keys=$2

hostname "$name"
mount --make-rprivate /
base=/run
mount -t tmpfs -o mode=755 aetool "$base"
mkdir "$base"/{upper,work,root}
# what the machine's root holds may change below the overlay; a host that sees that is still a host
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" aetool "$base/root"
root=$base/root

mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t tmpfs -o mode=755 aetool "$root/dev"
for node in null zero full random urandom tty; do
  touch "$root/dev/$node"
  mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root"/dev/{pts,shm}
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 aetool "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=755 aetool "$root/run"
mount -t tmpfs -o mode=1777 aetool "$root/tmp"
mount -t tmpfs -o mode=1777 aetool "$root/var/tmp"
# a host has no users of its own yet: the dot files of this machine's users would run at every log-in
mount -t tmpfs -o mode=700 aetool "$root/root"
mount -t tmpfs -o mode=755 aetool "$root/home"
mkdir -p "$root"/run/{sshd,lock,aetool}

install -m 600 "$keys/$name.host_key" "$root/run/aetool/host_key"
install -m 644 "$keys/user_key.pub" "$root/run/aetool/authorized_keys"
cat >"$root/run/aetool/sshd_config" <<CONFIG
HostKey /run/aetool/host_key
AuthorizedKeysFile /run/aetool/authorized_keys
AuthenticationMethods publickey
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
MaxSessions 64
MaxStartups 64
PrintMotd no
PrintLastLog no
PidFile /run/sshd/sshd.pid
Subsystem sftp internal-sftp
CONFIG
echo "$name" >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n10.10.1.1 server\n10.10.1.2 client\n' "$name" >"$root/etc/hosts"
# sshd takes a password of ! for a locked account and then refuses keys as well
sed -i 's/^root:![^:]*:/root:*:/' "$root/etc/shadow"
rm -f "$root/etc/nologin"

cd "$root"
mkdir -p run/old
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old

# The loop is the host's service manager, and as process 1 this shell reaps orphans.
while :; do
  /usr/sbin/sshd -D -e -f /run/aetool/sshd_config || true
  sleep 0.2
done
