#!/usr/bin/env bash
# Whether the list of what is in the binary (tools/sbom.sh) names every library that the loader gives it, with a version.
# Usage: sbom_test.sh SOURCE_DIRECTORY AKIDB_PROGRAM
set -euo pipefail
for tool in dpkg ldd jq; do
    command -v "$tool" >/dev/null || { printf 'skipped: no %s here\n' "$tool"; exit 77; }
done
bom=$("$1/tools/sbom.sh" "$2")

jq -e '.bomFormat == "CycloneDX" and .specVersion == "1.5" and .metadata.component.name == "akidb"
       and (.metadata.component.version | length > 0)
       and all(.components[]; (.name | length > 0) and (.version | length > 0) and (.purl | startswith("pkg:deb/")))
       and (.dependencies[0].dependsOn | length) == (.components | length)' <<<"$bom" >/dev/null
missing=0
while read -r library; do
    if ! jq -e --arg name "${library##*/}" 'any(.components[]; .name == $name)' <<<"$bom" >/dev/null; then
        printf 'not named: %s\n' "$library"
        missing=$((missing + 1))
    fi
done < <(ldd "$2" | grep -o '/[^ ]*')
# What the program needs by its own words must be among them, too.
while read -r library; do
    jq -e --arg name "$library" 'any(.components[]; .name == $name)' <<<"$bom" >/dev/null || {
        printf 'not named: %s\n' "$library"
        missing=$((missing + 1))
    }
done < <(objdump -p "$2" | awk '$1 == "NEEDED" {print $2}')
printf '%s libraries, %s not named\n' "$(jq '.components | length' <<<"$bom")" "$missing"
[ "$missing" = 0 ]
