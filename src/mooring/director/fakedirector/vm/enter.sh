#!/usr/bin/env bash
# The first process of a VM: makes the VM's file system out of the host's, says
# that it is ready on descriptor 3, and reaps what is left behind. $1 is the
# VM's directory.
set -euo pipefail
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /var
mkdir -p /var/vcap /var/tmp /var/log
ln -s /run /var/run
mount --bind "$1/vcap" /var/vcap
shopt -s nullglob
for package in "$1"/packages/*; do
  mkdir -p "/var/vcap/packages/${package##*/}"
  mount --bind "$package" "/var/vcap/packages/${package##*/}"
done
if [ -d "$1/store" ]; then
  mkdir -p /var/vcap/store
  mount --bind "$1/store" /var/vcap/store
fi
for file in passwd group hosts resolv.conf; do
  mount --bind "$1/etc/$file" "$(readlink -f "/etc/$file")"
done
mount -t overlay overlay -o "lowerdir=/usr/local/bin,upperdir=$1/local/upper,workdir=$1/local/work" /usr/local/bin
hostname "$2"
echo ready >&3
exec 3>&-
while :; do
  sleep infinity &
  wait $!
done
