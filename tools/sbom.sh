#!/usr/bin/env bash
# What is in a binary, as CycloneDX 1.5 on standard output: every library that the loader of this system gives it, and those
# whose headers are compiled in, each with the package and version that it comes from.
# Usage: sbom.sh BINARY
set -euo pipefail
binary=$1

# The kernel's own page (linux-vdso) is no file.
mapfile -t files < <(ldd "$binary" | grep -o '/[^ ]*')
headers=(/usr/include/boost/beast.hpp /usr/include/nlohmann/json.hpp /usr/include/CLI/CLI.hpp)

# Systems that merged /usr know some files under one of several names; all are asked for at once, as asking is slow.
declare -A package_of version_of
names=()
for file in "${files[@]}" "${headers[@]}"; do
    names+=("$file" "$(readlink -f "$file")" "/usr$file" "${file#/usr}")
done
while IFS= read -r line; do
    package_of[${line#*: }]=${line%%[:,]*}
done < <(dpkg -S "${names[@]}" 2>/dev/null || true)
while read -r package version; do
    version_of[$package]=$version
done < <(dpkg-query -W -f '${Package} ${Version}\n' "${package_of[@]}")

component() {  # component FILE HOW: its parts, between tabs
    local name
    for name in "$1" "$(readlink -f "$1")" "/usr$1" "${1#/usr}"; do
        if [ -n "${package_of[$name]:-}" ]; then
            printf '%s\t%s\t%s\t%s\n' "${1##*/}" "$2" "${package_of[$name]}" "${version_of[${package_of[$name]}]}"
            return
        fi
    done
    printf 'sbom: no package has %s\n' "$1" >&2
    return 1
}

{
    for file in "${files[@]}"; do component "$file" dynamic; done
    for file in "${headers[@]}"; do component "$file" headers; done
} | jq -R -s --arg version "$("$binary" version | grep -o '[0-9][0-9.]*' | head -n 1)" \
    --arg sha256 "$(sha256sum "$binary" | cut -d' ' -f1)" \
    --arg arch "$(dpkg --print-architecture)" --arg system "$(. /etc/os-release && echo "$ID")" '
    [split("\n")[] | select(length > 0) | split("\t") | {
        type: "library", "bom-ref": (.[2] + "/" + .[0]), name: .[0], version: .[3],
        purl: ("pkg:deb/" + $system + "/" + .[2] + "@" + (.[3] | @uri) + "?arch=" + $arch),
        properties: [{name: "akidb:package", value: .[2]}, {name: "akidb:linked", value: .[1]}]
    }] | unique_by(."bom-ref") | {
        bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
        metadata: {component: {type: "application", "bom-ref": "akidb", name: "akidb", version: $version,
                               hashes: [{alg: "SHA-256", content: $sha256}]}},
        components: .,
        dependencies: [{ref: "akidb", dependsOn: map(."bom-ref")}]
    }'
