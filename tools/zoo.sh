#!/usr/bin/env bash
# The bug zoo: each file of tests/zoo is a bug that a real database had, as a change to our sources. Each is compiled into
# a simulator of its own (one source file, or the layer that it is compiled with, and a link, under build/zoo), which must
# find a violation. The mistakes of sim/broken_order.h, which need no build, come on top. Prints for each what caught it,
# then `zoo: N of M caught`, and writes that down in reliability/ledger.csv unless --no-ledger; ends with 1 unless all were.
# Called by ./dev zoo, which builds the release first. `zoo.sh NAME …` tries only those and writes nothing down.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

release=$PWD/build/release
out=$PWD/build/zoo
mkdir -p "$out"
commands=$(ninja -C "$release" -t commands simulator)
link=$(tail -n 1 <<<"$commands")
# Enough for each: crashes and faults of random histories, short scripts, the model, and rot; of what only meets an object
# store, histories with one.
campaign=(--images 6000 --faults 200 --exhaustive 2 --exhaustive-kills 1 --exhaustive-faults 1 --model 4000 --rot 150)
objects=(--objects 400)

# apply MUTANT: writes the changed source to $out/NAME.cc; sets `file`, the source it changes.
apply() {
    local mutant=$1 line old='' new='' text='' into=none
    file=
    while IFS= read -r line; do
        case $line in
            'file '*) file=${line#file } && text=$(<"$file") ;;
            '<<<<') into=old old='' ;;
            '====') into=new new='' ;;
            '>>>>')
                into=none
                if [[ $text != *"${old%$'\n'}"* ]]; then
                    printf '%s: %s has no longer what it changes\n' "$mutant" "$file" >&2
                    return 1
                fi
                text=${text/"${old%$'\n'}"/"${new%$'\n'}"}
                ;;
            *)
                if [ $into = old ]; then old+=$line$'\n'; elif [ $into = new ]; then new+=$line$'\n'; fi
                ;;
        esac
    done <"$mutant"
    printf '%s\n' "$text" >"$out/$(basename "$mutant" .mutant).cc"
}

build() {  # build NAME FILE
    local name=$1 source=$PWD/$2 changed=$out/$1.cc before='' unity compile
    local layer=$release/${2%/*}
    if [[ $2 == *.h ]]; then
        # The layer of a header, all of it, with the changed one found first.
        mkdir -p "$out/$name.include/$(basename "${2%/*}")"
        cp "$changed" "$out/$name.include/${2#src/}"
        source=$layer/CMakeFiles/akidb_$(basename "$layer").dir/Unity/unity_0_cxx.cxx
        changed=$source before="-I$out/$name.include "
    fi
    # Of a layer that is compiled as one, all of it with this file changed. Files of another way to join them may be left.
    for unity in $(grep -lF "\"$source\"" "$release"/src/*/CMakeFiles/*.dir/Unity/*.cxx || true); do
        grep -qF -- "-c $unity" <<<"$commands" || continue
        sed "s#\"$source\"#\"$changed\"#" "$unity" >"$out/$name.layer.cc"
        source=$unity changed=$out/$name.layer.cc
        break
    done
    compile=$(grep -F -- "-c $source" <<<"$commands" | head -n 1)
    compile=$(sed -E "s#-c [^ ]+#-c $changed#; s#-o [^ ]+#-o $out/$name.o#; s#-MF [^ ]+#-MF $out/$name.d#; s#-MT [^ ]+##; s#-Werror#-w#; s#-I#$before-I#" <<<"$compile")
    (cd "$release" && eval "$compile" && eval "${link/-o akidb_sim/$out/$name.o -o $out/$name}")
}

ledger=reliability/ledger.csv
if [ "${1:-}" = --no-ledger ]; then
    ledger=
    shift
fi
if ! "$release/akidb_sim" "${campaign[@]}" "${objects[@]}" >"$out/healthy.txt" 2>&1; then
    printf 'zoo: without any bug there are violations already (%s)\n' "$out/healthy.txt"
    exit 1
fi
caught=0
total=0
names=("$@")
if [ $# -eq 0 ]; then
    while IFS= read -r line; do
        total=$((total + 1))
        if [[ $line == *': caught: '* ]]; then caught=$((caught + 1)); fi
        printf 'zoo: %s\n' "${line:0:180}"
    done < <("$release/akidb_sim" --images 1 --faults 0 --mistakes | grep '^mistake')
else
    ledger=
fi
[ $# -gt 0 ] || for mutant in tests/zoo/*.mutant; do names+=("$(basename "$mutant" .mutant)"); done
for name in "${names[@]}"; do
    total=$((total + 1))
    if ! apply "tests/zoo/$name.mutant" || ! build "$name" "$file" >"$out/$name.txt" 2>&1; then
        printf 'zoo: %s: DOES NOT BUILD (%s)\n' "$name" "$out/$name.txt"
        continue
    fi
    status=0
    case $file in
        src/backup/* | src/objects/* | src/service/* | src/engine/cold_*) played=("${objects[@]}") ;;
        *) played=("${campaign[@]}") ;;
    esac
    for seed in $(seq 1 100 1501); do # the rarest is caught by one history in fifty
        (exec "$out/$name" "${played[@]}" --first-seed "$seed") >"$out/$name.txt" 2>&1 || status=$?
        [ "$status" = 0 ] || break
    done
    rm -f "${out:?}/$name" "$out/$name.o"
    if [ "$status" = 0 ]; then
        printf 'zoo: %s: NOT CAUGHT\n' "$name"
    else
        caught=$((caught + 1))
        why=$(grep -m 1 -E 'VIOLATION|invariant' "$out/$name.txt" || printf 'it ended with %d' "$status")
        printf 'zoo: %s: caught from seed %d on: %s\n' "$name" "$seed" "${why:0:160}"
    fi
done
printf 'zoo: %d of %d caught\n' "$caught" "$total"
if [ -n "$ledger" ]; then
    printf '%s,%s,zoo,%d of %d bugs caught,0,0,0,%d\n' "$(date -u +%F)" "$(git describe --always --dirty=+)" \
        "$caught" "$total" $((total - caught)) >>"$ledger"
fi
[ "$caught" = "$total" ]
