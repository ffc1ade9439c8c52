# shellcheck shell=bash
# Completion of akidb in bash: verbs and options as the binary itself tells them by --help, so none is missing here.
_akidb() {
    local verbs=() word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ $word != -* ]] || break
        verbs+=("$word")
    done
    mapfile -t COMPREPLY < <(
        compgen -W "$("${COMP_WORDS[0]}" "${verbs[@]}" --help 2>/dev/null | awk '
            /^[A-Z]/ { verbs = /^Subcommands:/ }
            verbs && /^  [a-z]/ { print $1 }
            /^  -/ { split($1, names, ","); for (i in names) if (names[i] ~ /^--/) { sub(/=.*/, "", names[i]); print names[i] } }
        ')" -- "${COMP_WORDS[COMP_CWORD]}"
    )
}
complete -o default -F _akidb akidb
