#!/usr/bin/env bash
# Assembles the root file system of the container: the binary, the libraries that the loader finds for it here, the authorities
# that the system trusts, a user, and the directory of the data. Also what scanners ask for: which packages these files are of
# (/var/lib/dpkg/status.d), and their licences.
# Usage: rootfs.sh AKIDB_BINARY FOLDER
set -euo pipefail
binary=$1 root=$2
uid=10001

mkdir -p "$root"/{dev,etc/akidb,etc/ssl/certs,proc,run/secrets,sys,tmp,usr/bin,usr/lib,var/lib/akidb,var/lib/dpkg/status.d}
for directory in bin lib lib64; do ln -sfn "usr/${directory/lib64/lib}" "$root/$directory"; done
strip -o "$root/usr/bin/akidb" "$binary"
chmod 755 "$root/usr/bin/akidb"

# The loader by its own path, the libraries by the names that they are asked for.
mapfile -t libraries < <(ldd "$binary" | awk '$3 ~ /^\// {print $3} $1 ~ /^\// {print $1}')
for library in "${libraries[@]}"; do
    install -m 755 "$(realpath "$library")" "$root/usr/lib/$(basename "$library")"
done
# What the C library opens when it needs it: names of hosts.
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'akidb:x:%s:%s:AkiDB:/var/lib/akidb:/sbin/nologin\n' "$uid" "$uid" >"$root/etc/passwd"
printf 'akidb:x:%s:\n' "$uid" >"$root/etc/group"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp -L /etc/os-release "$root/etc/os-release"
chmod 1777 "$root/tmp"
chmod 700 "$root/var/lib/akidb"
if [ "$(id -u)" = 0 ]; then chown "$uid:$uid" "$root/var/lib/akidb"; fi

if command -v dpkg-query >/dev/null; then
    # Packages name their files as they were before /lib became a link to /usr/lib.
    mapfile -t files < <(realpath "${libraries[@]}")
    { dpkg-query -S "${files[@]}" "${files[@]#/usr}" 2>/dev/null || true; } | cut -d: -f1 | sort -u | while read -r package; do
        dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
        install -D -m 644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
    done
fi
