# Made by docs/completion/make.py from acstage1 --help. Do not edit.
_acstage1() {
    local -A below=(
        ["acstage1"]="run enter stop gc"
    )
    local -A options=(
        ["acstage1"]="--lock-fd --ready-fd --interactive --detached --tty --debug --force -h --help -V --version"
        ["acstage1 run"]="--lock-fd --ready-fd --interactive --detached --tty --debug --force -h --help -V --version"
        ["acstage1 enter"]="--lock-fd --ready-fd --interactive --detached --tty --debug --force -h --help -V --version"
        ["acstage1 stop"]="--lock-fd --ready-fd --interactive --detached --tty --debug --force -h --help -V --version"
        ["acstage1 gc"]="--lock-fd --ready-fd --interactive --detached --tty --debug --force -h --help -V --version"
    )
    local -A values=(
        ["acstage1 --lock-fd"]="-"
        ["acstage1 --ready-fd"]="-"
        ["acstage1 run --lock-fd"]="-"
        ["acstage1 run --ready-fd"]="-"
        ["acstage1 enter --lock-fd"]="-"
        ["acstage1 enter --ready-fd"]="-"
        ["acstage1 stop --lock-fd"]="-"
        ["acstage1 stop --ready-fd"]="-"
        ["acstage1 gc --lock-fd"]="-"
        ["acstage1 gc --ready-fd"]="-"
    )
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=acstage1 word
    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    [[ $current == = ]] && before=${COMP_WORDS[COMP_CWORD - 1]} && current=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " ${below[$command]} " == *" $word "* ]] && command+=" $word"
    done
    local value=${values["$command $before"]} offer=(-f)
    case $value in
        -) COMPREPLY=() && return ;;
        -?) offer=("$value") ;;
        ?*) offer=(-W "$value") ;;
        *) if [[ $current == -* ]]; then offer=(-W "${options[$command]}")
            elif [[ ${below[$command]} ]]; then offer=(-W "${below[$command]}"); fi ;;
    esac
    mapfile -t COMPREPLY < <(compgen "${offer[@]}" -- "$current")
}
complete -o filenames -F _acstage1 acstage1
