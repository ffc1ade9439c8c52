#!/usr/bin/env bash
# Builds the container's image with whichever of buildah, podman and docker is here; needs no network and, with the first two, no
# daemon.
# Usage: deploy/container/build.sh [TAG]   (akidb:VERSION unless said otherwise)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
binary=${AKIDB_BINARY:-build/release/akidb}
if [ ! -x "$binary" ]; then
    printf 'there is no %s: ./dev build\n' "$binary" >&2
    exit 1
fi
tag=${1:-akidb:$("$binary" version | cut -d' ' -f2)}
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
deploy/container/rootfs.sh "$binary" "$context/rootfs"
# An archive keeps what a copy does not: whose the directory of the data is. The same files give the same archive.
same=(--sort=name --mtime=@0 --numeric-owner)
tar -C "$context/rootfs" "${same[@]}" --owner=0 --group=0 --exclude=./var/lib/akidb -cf "$context/rootfs.tar" .
tar -C "$context/rootfs" "${same[@]}" --owner=10001 --group=10001 -rf "$context/rootfs.tar" ./var/lib/akidb
bytes=$(du -sb "$context/rootfs" | cut -f1)
rm -rf "$context/rootfs"
cp deploy/container/Containerfile "$context/"
# Docker's format is the one that has health checks; nothing is run while building, so no isolation is needed.
for tool in buildah podman docker; do
    command -v "$tool" >/dev/null || continue
    if [ "$tool" = docker ]; then
        docker info >/dev/null 2>&1 || continue
        docker build --quiet --tag "$tag" --file "$context/Containerfile" "$context"
    else
        # shellcheck disable=SC2086 # options, split at spaces
        "$tool" ${AKIDB_CONTAINER_STORAGE:-} build --quiet --format docker --isolation chroot --tag "$tag" \
            --file "$context/Containerfile" "$context"
    fi
    printf '%s, by %s: %s bytes of files\n' "$tag" "$tool" "$bytes"
    exit
done
printf 'there is no buildah, podman or docker here that answers\n' >&2
exit 77
