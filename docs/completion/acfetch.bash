# Made by docs/completion/make.py from acfetch --help. Do not edit.
_acfetch() {
    local -A below=(
        ["acfetch"]="fetch discover gc config trust images"
        ["acfetch trust"]="add list remove"
        ["acfetch images"]="list rm verify export"
    )
    local -A options=(
        ["acfetch"]="-h --help"
        ["acfetch fetch"]="--dir --output --insecure-options --cafile --pull --offline --lock --locked --events --passphrase-fd --passphrase-file --json -q --quiet -h --help"
        ["acfetch discover"]="--insecure-options --cafile --json -h --help"
        ["acfetch gc"]="--dir --keep-for -n --dry-run --json -h --help"
        ["acfetch config"]="--json -h --help"
        ["acfetch trust"]="-h --help"
        ["acfetch images"]="-h --help"
        ["acfetch trust add"]="--prefix --root --discover --fingerprint -y --yes --insecure-options --cafile -h --help"
        ["acfetch trust list"]="-h --help"
        ["acfetch trust remove"]="--prefix --root -h --help"
        ["acfetch images list"]="--dir --json -l --long -h --help"
        ["acfetch images rm"]="--dir --json -h --help"
        ["acfetch images verify"]="--dir --json -q --quiet -h --help"
        ["acfetch images export"]="--dir --compression --overwrite -q --quiet -h --help"
    )
    local -A values=(
        ["acfetch fetch --dir"]="-d"
        ["acfetch fetch --output"]="-f"
        ["acfetch fetch --insecure-options"]="-"
        ["acfetch fetch --cafile"]="-f"
        ["acfetch fetch --pull"]="new update never"
        ["acfetch fetch --lock"]="-f"
        ["acfetch fetch --locked"]="-f"
        ["acfetch fetch --events"]="-"
        ["acfetch fetch --passphrase-fd"]="-"
        ["acfetch fetch --passphrase-file"]="-f"
        ["acfetch discover --insecure-options"]="-"
        ["acfetch discover --cafile"]="-f"
        ["acfetch gc --dir"]="-d"
        ["acfetch gc --keep-for"]="-"
        ["acfetch trust add --prefix"]="-"
        ["acfetch trust add --fingerprint"]="-"
        ["acfetch trust add --insecure-options"]="-"
        ["acfetch trust add --cafile"]="-f"
        ["acfetch trust remove --prefix"]="-"
        ["acfetch images list --dir"]="-d"
        ["acfetch images rm --dir"]="-d"
        ["acfetch images verify --dir"]="-d"
        ["acfetch images export --dir"]="-d"
        ["acfetch images export --compression"]="none gzip bzip2 xz"
    )
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=acfetch word
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
complete -o filenames -F _acfetch acfetch
