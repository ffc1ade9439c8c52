# shellcheck shell=bash
# Sourced by ./dev: which system packages a verb needs, and installing those that are missing. A name may be a list of
# alternatives, best first: systems call the same library by different versions (Debian 12 has Boost 1.81 beside its
# default 1.74; Debian 13 and Ubuntu 24.04 have 1.83). docs/dependencies.md says what each is for.

packages_of() {
    case $1 in
        build)
            printf '%s\n' build-essential cmake ninja-build pkg-config ccache mold git \
                'libboost1.81-dev|libboost1.83-dev|libboost-dev' libssl-dev libgrpc++-dev protobuf-compiler \
                protobuf-compiler-grpc libprotobuf-dev libsimdjson-dev nlohmann-json3-dev libfmt-dev libspdlog-dev \
                libtomlplusplus-dev libcli11-dev 'prometheus-cpp-dev|libprometheus-cpp-dev' libsqlite3-dev \
                libcurl4-openssl-dev libsodium-dev libhwy-dev libgtest-dev libgmock-dev curl jq openssl e2fsprogs xfsprogs
            ;;
        clang) printf '%s\n' 'clang-14|clang-18|clang-19|clang' ;;
        format) printf '%s\n' clang-format ;;
        cross) printf '%s\n' g++-aarch64-linux-gnu qemu-user ;;
        s3) printf '%s\n' ceph-mon ceph-osd ceph-common radosgw python3 ;;
        image) printf '%s\n' buildah ;;
        package) printf '%s\n' mmdebstrap iproute2 systemd python3 python3-yaml python3-jsonschema ;;
        uploads) printf '%s\n' rclone s3cmd ;;
        bench) printf '%s\n' libhnswlib-dev ;;
        demo)  # a node of the user's own is as good as the system's
            command -v node >/dev/null || echo nodejs
            command -v npm >/dev/null || echo npm
            ;;
    esac
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
is_available() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

# Prints the package to install for a list of alternatives; nothing when the best one to be had is there already.
missing_of() {
    local candidate
    for candidate in ${1//|/ }; do
        is_installed "$candidate" && return
        if is_available "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    printf 'dev: this system offers none of: %s\n' "${1//|/, }" >&2
    return 1
}

run_as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        printf 'dev: need root to install packages, and there is no sudo; run as root: %s\n' "$*" >&2
        return 1
    fi
}

need_packages() {
    local group alternatives wanted=() missing=()
    for group in "$@"; do
        mapfile -t -O "${#wanted[@]}" wanted < <(packages_of "$group")
    done
    if ! command -v apt-get >/dev/null; then
        printf 'dev: no apt-get here; make sure these are installed: %s\n' "${wanted[*]}" >&2
        return
    fi
    # The quick look first: one dpkg-query for all, which is where every run but the first ends.
    local installed
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]%%|*}" 2>/dev/null || true)
    for alternatives in "${wanted[@]}"; do
        grep -qxF "${alternatives%%|*} installed" <<<"$installed" || missing+=("$alternatives")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ -n "$(apt-cache show ninja-build 2>/dev/null)" ] || run_as_root apt-get update -qq
    local install=() name
    for alternatives in "${missing[@]}"; do
        name=$(missing_of "$alternatives")
        [ -z "$name" ] || install+=("$name")
    done
    [ ${#install[@]} -gt 0 ] || return 0
    printf 'dev: installing with apt-get: %s\n' "${install[*]}"
    run_as_root apt-get update -qq
    run_as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${install[@]}"
}

# One compiler per core, but no more than memory allows: the largest source takes about 2 GiB.
build_jobs() {
    local cores memory_gib
    cores=$(nproc)
    memory_gib=$(awk '/MemAvailable/ {print int($2 / 2097152)}' /proc/meminfo)
    if [ "$memory_gib" -lt 1 ]; then memory_gib=1; fi
    echo $((cores < memory_gib ? cores : memory_gib))
}

# The clang to check with: the version the packages above name, else whatever clang++ is.
clang_compiler() {
    local name
    for name in clang++-14 clang++-18 clang++-19 clang++; do
        command -v "$name" && return
    done
    return 1
}
