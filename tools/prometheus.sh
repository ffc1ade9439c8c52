#!/usr/bin/env bash
# Brings prometheus, promtool, alertmanager and amtool as Debian builds them into the folder given, without installing them:
# an installed one starts at once, on the ports that AkiDB listens on by default. Prints the folder of the programs; exits 77
# where they are not to be had.
# Usage: tools/prometheus.sh FOLDER
set -euo pipefail
mkdir -p "$1"
cd "$1"
if [ ! -x usr/bin/prometheus ] || [ ! -x usr/bin/prometheus-alertmanager ]; then
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null ||
        ! apt-get download prometheus prometheus-alertmanager >download.log 2>&1; then
        printf 'skipped: no apt-get here that brings prometheus and prometheus-alertmanager\n' >&2
        exit 77
    fi
    for package in prometheus*.deb; do dpkg-deb -x "$package" .; done
    rm -f prometheus*.deb
fi
# Debian's Alertmanager reads its templates where an installed package has them, and ends without.
templates=usr/share/prometheus/alertmanager
for template in "$templates"/*.tmpl; do
    if [ -e "$template" ] && [ ! -e "/$template" ] && ! install -D -m 644 "$template" "/$template" 2>/dev/null; then
        printf 'skipped: Alertmanager needs /%s, which only root can put there\n' "$template" >&2
        exit 77
    fi
done
printf '%s/usr/bin\n' "$PWD"
