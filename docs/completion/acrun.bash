# Made by docs/completion/make.py from acrun --help. Do not edit.
_acrun() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= word
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && before=${COMP_WORDS[COMP_CWORD - 1]} && current=
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$command $word" in
            " run") command="run" ;;
            " list") command="list" ;;
            " status") command="status" ;;
            " logs") command="logs" ;;
            " enter") command="enter" ;;
            " stop") command="stop" ;;
            " rm") command="rm" ;;
            " gc") command="gc" ;;
        esac
    done
    case "$command" in
        "")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "run list status logs enter stop rm gc" -- "$current"); fi ;;
        "run")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --name) return ;;
                --hostname) return ;;
                --volume) return ;;
                --mount) return ;;
                --uuid-file-save) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --grace-period) return ;;
                --cgroup-parent) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --stage1) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --log) mapfile -t COMPREPLY < <(compgen -W "file none" -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --name --hostname --volume --mount -i --interactive --keep --strict --overlay --no-overlay --allow-nested-mounts --allow-symlink-volumes --uuid-file-save --grace-period --cgroup-parent --stage1 --log -q --quiet --debug -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "list")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "status")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --json --wait -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "logs")
            case $before in
                --app) return ;;
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--app -f --follow -t --timestamps --dir --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "enter")
            case $before in
                --app) return ;;
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --stage1) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--app --dir --stage1 -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "stop")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --stage1) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--force --dir --stage1 -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "rm")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --stage1) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --stage1 -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "gc")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --grace-period) return ;;
                --stage1) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --grace-period --stage1 --json -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    esac
}
complete -o filenames -F _acrun acrun
