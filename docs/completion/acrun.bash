# Made by docs/completion/make.py from acrun --help. Do not edit.
_acrun() {
    local -A below=(
        ["acrun"]="run prepare run-prepared list status cat-manifest logs top stats cp export enter stop rm gc"
    )
    local -A options=(
        ["acrun"]="-h --help"
        ["acrun run"]="--dir --pod --name --hostname -v --volume --mount -e --env --env-file --dns --hosts-entry -p --port --strict --overlay --no-overlay --allow-nested-mounts --allow-symlink-volumes --uuid-file-save --grace-period --annotation --memory --cpu --pids-limit --cgroup-parent --log --log-size --exit-policy --restart -q --quiet -i --interactive -t --tty -d --detach --rm --keep --stage1 --debug -h --help"
        ["acrun prepare"]="--dir --pod --name --hostname -v --volume --mount -e --env --env-file --dns --hosts-entry -p --port --strict --overlay --no-overlay --allow-nested-mounts --allow-symlink-volumes --uuid-file-save --grace-period --annotation --memory --cpu --pids-limit --cgroup-parent --log --log-size --exit-policy --restart -q --quiet -h --help"
        ["acrun run-prepared"]="--dir -i --interactive -t --tty -d --detach --rm --keep --stage1 --debug -h --help"
        ["acrun list"]="--dir --state --annotation -q --quiet --json -h --help"
        ["acrun status"]="--dir --json --wait --exit-code -h --help"
        ["acrun cat-manifest"]="--dir --pretty-print -h --help"
        ["acrun logs"]="--app -f --follow -t --timestamps -n --tail --since --stream --dir --json -h --help"
        ["acrun top"]="--no-stream --dir --json -h --help"
        ["acrun stats"]="--no-stream --dir --json -h --help"
        ["acrun cp"]="-L --follow-link --dir -h --help"
        ["acrun export"]="--app --compression --overwrite --as-run --print-id --dir -h --help"
        ["acrun enter"]="--app -t --tty --no-tty -i --interactive --dir --stage1 -h --help"
        ["acrun stop"]="-f --force --dir --stage1 -h --help"
        ["acrun rm"]="--dir --stage1 -h --help"
        ["acrun gc"]="--dir --grace-period --expire-prepared --stage1 --json -h --help"
    )
    local -A values=(
        ["acrun run --dir"]="-d"
        ["acrun run --pod"]="-f"
        ["acrun run --name"]="-"
        ["acrun run --hostname"]="-"
        ["acrun run -v"]="-"
        ["acrun run --volume"]="-"
        ["acrun run --mount"]="-"
        ["acrun run -e"]="-"
        ["acrun run --env"]="-"
        ["acrun run --env-file"]="-f"
        ["acrun run --dns"]="-"
        ["acrun run --hosts-entry"]="-"
        ["acrun run -p"]="-"
        ["acrun run --port"]="-"
        ["acrun run --uuid-file-save"]="-f"
        ["acrun run --grace-period"]="-"
        ["acrun run --annotation"]="-"
        ["acrun run --memory"]="-"
        ["acrun run --cpu"]="-"
        ["acrun run --pids-limit"]="-"
        ["acrun run --cgroup-parent"]="-f"
        ["acrun run --log"]="file none"
        ["acrun run --log-size"]="-"
        ["acrun run --exit-policy"]="-"
        ["acrun run --restart"]="-"
        ["acrun run --stage1"]="-f"
        ["acrun prepare --dir"]="-d"
        ["acrun prepare --pod"]="-f"
        ["acrun prepare --name"]="-"
        ["acrun prepare --hostname"]="-"
        ["acrun prepare -v"]="-"
        ["acrun prepare --volume"]="-"
        ["acrun prepare --mount"]="-"
        ["acrun prepare -e"]="-"
        ["acrun prepare --env"]="-"
        ["acrun prepare --env-file"]="-f"
        ["acrun prepare --dns"]="-"
        ["acrun prepare --hosts-entry"]="-"
        ["acrun prepare -p"]="-"
        ["acrun prepare --port"]="-"
        ["acrun prepare --uuid-file-save"]="-f"
        ["acrun prepare --grace-period"]="-"
        ["acrun prepare --annotation"]="-"
        ["acrun prepare --memory"]="-"
        ["acrun prepare --cpu"]="-"
        ["acrun prepare --pids-limit"]="-"
        ["acrun prepare --cgroup-parent"]="-f"
        ["acrun prepare --log"]="file none"
        ["acrun prepare --log-size"]="-"
        ["acrun prepare --exit-policy"]="-"
        ["acrun prepare --restart"]="-"
        ["acrun run-prepared --dir"]="-d"
        ["acrun run-prepared --stage1"]="-f"
        ["acrun list --dir"]="-d"
        ["acrun list --state"]="-"
        ["acrun list --annotation"]="-"
        ["acrun status --dir"]="-d"
        ["acrun cat-manifest --dir"]="-d"
        ["acrun logs --app"]="-"
        ["acrun logs -n"]="-"
        ["acrun logs --tail"]="-"
        ["acrun logs --since"]="-"
        ["acrun logs --stream"]="stdout stderr"
        ["acrun logs --dir"]="-d"
        ["acrun top --dir"]="-d"
        ["acrun stats --dir"]="-d"
        ["acrun cp --dir"]="-d"
        ["acrun export --app"]="-"
        ["acrun export --compression"]="none gzip bzip2 xz"
        ["acrun export --dir"]="-d"
        ["acrun enter --app"]="-"
        ["acrun enter --dir"]="-d"
        ["acrun enter --stage1"]="-f"
        ["acrun stop --dir"]="-d"
        ["acrun stop --stage1"]="-f"
        ["acrun rm --dir"]="-d"
        ["acrun rm --stage1"]="-f"
        ["acrun gc --dir"]="-d"
        ["acrun gc --grace-period"]="-"
        ["acrun gc --expire-prepared"]="-"
        ["acrun gc --stage1"]="-f"
    )
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=acrun word
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
complete -o filenames -F _acrun acrun
