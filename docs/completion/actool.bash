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
            " cat") command="cat" ;;
            " ls") command="ls" ;;
            " diff") command="diff" ;;
            " verify-repro") command="verify-repro" ;;
            " extract") command="extract" ;;
            " patch-manifest") command="patch-manifest" ;;
            " init") command="init" ;;
            " sign") command="sign" ;;
            " verify") command="verify" ;;
            " encrypt") command="encrypt" ;;
            " decrypt") command="decrypt" ;;
            " render") command="render" ;;
        esac
    done
    case "$command" in
        "")
            case $before in
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -W "build validate cat-manifest id cat ls diff verify-repro extract patch-manifest init sign verify encrypt decrypt render" -- "$current"); fi ;;
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
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--manifest --rootfs --exclude --ignore-file --overwrite --compression --no-compression --compression-encoder --compression-level --owner-root --fixed-times --depfile --print-id -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "validate")
            case $before in
                --files-from) return ;;
                --format) mapfile -t COMPREPLY < <(compgen -W "text json junit sarif github" -- "$current"); return ;;
                -o|--output) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--files-from --format -o --output -v --verbose -q --quiet --strict --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "cat-manifest")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--pretty-print --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "id")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "cat")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "ls")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "-l --long --json --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "diff")
            case $before in
                --ignore) return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--json -q --quiet --ignore --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "verify-repro")
            case $before in
                --manifest) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --rootfs) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --exclude) return ;;
                --ignore-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --compression) mapfile -t COMPREPLY < <(compgen -W "none gzip bzip2 xz" -- "$current"); return ;;
                --compression-encoder) mapfile -t COMPREPLY < <(compgen -W "isal zlib" -- "$current"); return ;;
                --compression-level) return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--manifest --rootfs --exclude --ignore-file --owner-root --fixed-times --exact --compression --compression-encoder --compression-level --json -q --quiet --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "extract")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--strict -q --quiet --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "patch-manifest")
            case $before in
                --manifest) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --remove) return ;;
                --compression) mapfile -t COMPREPLY < <(compgen -W "none gzip bzip2 xz" -- "$current"); return ;;
                --compression-encoder) mapfile -t COMPREPLY < <(compgen -W "isal zlib" -- "$current"); return ;;
                --compression-level) return ;;
                --name) return ;;
                --label) return ;;
                --exec) return ;;
                --user) return ;;
                --group) return ;;
                --supplementary-groups) return ;;
                --working-dir) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --env) return ;;
                --pre-start) return ;;
                --post-stop) return ;;
                --mounts) return ;;
                --ports) return ;;
                --isolators) return ;;
                --capability) return ;;
                --revoke-capability) return ;;
                --seccomp-mode) return ;;
                --seccomp-set) return ;;
                --annotation) return ;;
                --dependency) return ;;
                --path-whitelist) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --user-label) return ;;
                --user-annotation) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--replace --overwrite --manifest --remove --compression --no-compression --compression-encoder --compression-level --print-id --name --label --exec --user --group --supplementary-groups --working-dir --env --pre-start --post-stop --mounts --ports --isolators --capability --revoke-capability --seccomp-mode --seccomp-set --annotation --dependency --path-whitelist --user-label --user-annotation -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "init")
            case $before in
                --name) return ;;
                --label) return ;;
                --exec) return ;;
                --user) return ;;
                --group) return ;;
                --supplementary-groups) return ;;
                --working-dir) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --env) return ;;
                --pre-start) return ;;
                --post-stop) return ;;
                --mounts) return ;;
                --ports) return ;;
                --isolators) return ;;
                --capability) return ;;
                --revoke-capability) return ;;
                --seccomp-mode) return ;;
                --seccomp-set) return ;;
                --annotation) return ;;
                --dependency) return ;;
                --path-whitelist) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --user-label) return ;;
                --user-annotation) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--no-platform --name --label --exec --user --group --supplementary-groups --working-dir --env --pre-start --post-stop --mounts --ports --isolators --capability --revoke-capability --seccomp-mode --seccomp-set --annotation --dependency --path-whitelist --user-label --user-annotation -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "sign")
            case $before in
                --key) return ;;
                --homedir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --output) return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--key --homedir --passphrase-fd --passphrase-file --output --overwrite -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "verify")
            case $before in
                --key) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
                --fingerprint) return ;;
                --homedir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --signature) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--key --fingerprint --homedir --signature --json -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "encrypt")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--passphrase-fd --passphrase-file --overwrite -q --quiet -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "decrypt")
            case $before in
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--passphrase-fd --passphrase-file --overwrite -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
        "render")
            case $before in
                --dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
                --compression) mapfile -t COMPREPLY < <(compgen -W "none gzip bzip2 xz" -- "$current"); return ;;
                --compression-encoder) mapfile -t COMPREPLY < <(compgen -W "isal zlib" -- "$current"); return ;;
                --compression-level) return ;;
                --passphrase-fd) return ;;
                --passphrase-file) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
            esac
            if [[ $current == -* ]]; then mapfile -t COMPREPLY < <(compgen -W "--dir --overwrite --compression --no-compression --compression-encoder --compression-level --owner-root --fixed-times --print-id --strict -q --quiet --passphrase-fd --passphrase-file -h --help" -- "$current")
            else mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi ;;
    esac
}
complete -o filenames -F _actool actool
