"""acrun, stage0: from images and options to a prepared pod on disk, and the life of pods.

No network, no ctypes, no kernel work: what it prepares, acstage1 starts. Modules, from top to bottom:

    cli           the command line: which subcommand, and the exit code
    hints         what was meant by commands and options that acrun does not have
    command_prepare  `acrun prepare`, `run-prepared`: a run in two steps
    command_run_options  `acrun run` with options
    command_run   `acrun run` again, or without options: no option parser is needed
    command_pods  `acrun list`, `rm`: what pods there are
    command_status  `acrun status`, `cat-manifest`: one pod
    command_stats  `acrun top`, `stats`: what pods use
    command_cp    `acrun cp`: files from a pod or into it
    command_export  `acrun export`: what an app left, as an image
    command_logs  `acrun logs`: what the apps wrote
    command_enter  `acrun enter`, `stop`: what stage1 does with a running pod
    command_gc    `acrun gc`: what is no longer needed
    command_pod_options  options of a pod, which `run` and `prepare` take
    command_app_options  options of an app, behind its image
    command_options  what several subcommands take, worded once
    run           the sequence of a run, step by step
    warm_run      a command line that was run before, run from the note of its plan
    prepared      a prepared pod, run
    launch        from a plan to stage1: the end of every run
    exporting     the sequence from an app that has ended to an image
    copying       the sequence of copying from a pod or into it
    copy_paths    paths of a copy: in a pod or on the host, and where what is copied goes
    placing       files of a copy, staged beside their place and renamed into it
    tree_archive  files of a tree read like an archive
    roots         the root file system of an app, running or not
    user_namespace  acrun begun anew as root of a user namespace, to read what is closed to its owner
    layered       directories laid over each other, as an overlay shows them
    views         pods and what they use, in lines and fields for people
    watching      the sequence of measuring what pods use
    following     the sequence of showing logs
    finding       pods by UUID, name or file, as typed
    detach        stage1 as a process of its own, until its apps run
    collection    the sequence of a collection: ended pods, unused trees, leftovers of crashes
    pod_file      a pod manifest as a template
    inputs        images named on standard input
    arguments     pod options, images, app options and arguments, cut apart
    write         the files of the pod directory
    idmap         the ids that an ordinary user's pod has
    trees         rendered trees, made once
    donors        which trees may share files with a new one
    sharing       files that one tree has from another, cloned or linked
    seccomp       filters of system calls, compiled by libseccomp
    profiles      which system calls an app may make
    plans         what a run works out, noted for the next one
    filters       compiled filters, kept for the next run
    backends      overlay where it works, a copy elsewhere
    pod           the reified pod manifest
    options       the options of an app
    ports         ports of apps, and of the host
    resolve       image arguments into images, each with all it depends on
    isolator_options  values of options for isolators, which replace the image's own
    option_values  values of options, parsed
    supervision   options for stage1's supervision: exit policy, restarts, logs, limits
    mounts        mount points, volumes and mounts brought together
    surroundings  name resolution of a pod, and sizes of its volumes
    stage1        which stage1, and how it is started
    workspace     directories in which something is being made, and RUN itself
    log_output    records of logs, as they were written or as JSON
    logs          the log files of a pod, record by record
    screen        a table drawn again and again on a terminal
    pauses        sleeping until standard output has no reader any more
    usage         what a running app uses
    control_files  numbers out of control files of cgroups
    processes     processes of apps, by pidfd
    messages      what stage1 had to say of a detached pod
    selection     which pods a list is to show
    records       the files of a pod directory, read into its state
    states        the life of a pod, as values
    table         columns for people
    errors        what can go wrong
"""
