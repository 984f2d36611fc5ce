# Made by docs/completion/make.py from acstage1 --help. Do not edit.
_acstage1() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= word
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && before=${COMP_WORDS[COMP_CWORD - 1]} && current=
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$command $word" in
            " run") command="run" ;;
            " enter") command="enter" ;;
            " stop") command="stop" ;;
            " gc") command="gc" ;;
        esac
    done
    case "$command" in
        "")
            case $before in
                --lock-fd) return ;;
                --ready-fd) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lock-fd --ready-fd --interactive --debug --force -h --help -V --version" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "run enter stop gc" -- "$current"); fi ;;
        "run")
            case $before in
                --lock-fd) return ;;
                --ready-fd) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lock-fd --ready-fd --interactive --debug --force -h --help -V --version" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "enter")
            case $before in
                --lock-fd) return ;;
                --ready-fd) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lock-fd --ready-fd --interactive --debug --force -h --help -V --version" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "stop")
            case $before in
                --lock-fd) return ;;
                --ready-fd) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lock-fd --ready-fd --interactive --debug --force -h --help -V --version" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "gc")
            case $before in
                --lock-fd) return ;;
                --ready-fd) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--lock-fd --ready-fd --interactive --debug --force -h --help -V --version" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    esac
}
complete -o filenames -F _acstage1 acstage1
