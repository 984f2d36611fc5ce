# Made by docs/completion/make.py from acfetch --help. Do not edit.
_acfetch() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= word
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && before=${COMP_WORDS[COMP_CWORD - 1]} && current=
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$command $word" in
            " fetch") command="fetch" ;;
            " discover") command="discover" ;;
            " gc") command="gc" ;;
            " config") command="config" ;;
            " trust") command="trust" ;;
            " images") command="images" ;;
            "trust add") command="trust add" ;;
            "trust list") command="trust list" ;;
            "trust remove") command="trust remove" ;;
            "images list") command="images list" ;;
            "images rm") command="images rm" ;;
            "images verify") command="images verify" ;;
            "images export") command="images export" ;;
        esac
    done
    case "$command" in
        "")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "fetch discover gc config trust images" -- "$current"); fi ;;
        "fetch")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --insecure-options) return ;;
                --cafile) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --pull) mapfile -t COMPREPLY < <(compgen -W "new update never" -- "$current"); return ;;
                --lock) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --locked) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --events) return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --output --insecure-options --cafile --pull --offline --lock --locked --events --passphrase-fd --passphrase-file --json -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "discover")
            case $before in
                --insecure-options) return ;;
                --cafile) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--insecure-options --cafile --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "gc")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --keep-for) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --keep-for -n --dry-run --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "config")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "trust")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "add list remove" -- "$current"); fi ;;
        "images")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "list rm verify export" -- "$current"); fi ;;
        "trust add")
            case $before in
                --prefix) return ;;
                --fingerprint) return ;;
                --insecure-options) return ;;
                --cafile) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--prefix --root --discover --fingerprint -y --yes --insecure-options --cafile -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "trust list")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "trust remove")
            case $before in
                --prefix) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--prefix --root -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "images list")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --json -l --long -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "images rm")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "images verify")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --json -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "images export")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --compression) mapfile -t COMPREPLY < <(compgen -W "none gzip bzip2 xz" -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --compression --overwrite -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    esac
}
complete -o filenames -F _acfetch acfetch
