# Made by docs/completion/make.py from actool --help. Do not edit.
_actool() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= word
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && before=${COMP_WORDS[COMP_CWORD - 1]} && current=
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$command $word" in
            " build") command="build" ;;
            " validate") command="validate" ;;
            " cat-manifest") command="cat-manifest" ;;
            " id") command="id" ;;
            " ls") command="ls" ;;
            " extract") command="extract" ;;
        esac
    done
    case "$command" in
        "")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "build validate cat-manifest id ls extract" -- "$current"); fi ;;
        "build")
            case $before in
                --manifest) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --rootfs) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --exclude) return ;;
                --ignore-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --compression) mapfile -t COMPREPLY < <(compgen -W "none gzip bzip2 xz" -- "$current"); return ;;
                --compression-encoder) mapfile -t COMPREPLY < <(compgen -W "isal zlib" -- "$current"); return ;;
                --compression-level) return ;;
                --depfile) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--manifest --rootfs --exclude --ignore-file --overwrite --compression --no-compression --compression-encoder --compression-level --owner-root --depfile --print-id -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "validate")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-v --verbose -q --quiet --strict -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "cat-manifest")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--pretty-print -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "id")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "ls")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-l --long --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "extract")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--strict -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    esac
}
complete -o filenames -F _actool actool
