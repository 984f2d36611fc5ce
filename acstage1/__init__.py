"""acstage1, stage1: a pod directory into running apps, and the only program here that talks to the kernel about isolation.

Standard library and acspec's light modules only; nothing is imported after the pod has left the host's files.
Modules, from top to bottom:

    cli           the four verbs
    run           the sequence of a run, outside the pod
    enter         the sequence of entering an app
    stop          asking a pod to end
    collect       `gc`: what the kernel still has of a pod whose monitor is gone
    removal       the pod directory removed at the pod's end, when that was asked for
    enter_terminal  `enter` with a terminal of the command's own
    enter_streams  `enter` without a terminal: the caller's descriptors 0 to 2
    supervise     the monitor's loop: handlers, apps, signals, the end of the pod
    lifecycle     one app: pre-start, main, post-stop, and whether it starts again
    pod_actions   what the monitor does for its apps: cgroups, status files, messages to init
    start_notifier  tells stage0 and a service manager how the pod's start goes
    rebuild       the clean copy that an app is started again from
    leftovers     what an app left behind, killed from inside the pod
    descriptors   what apps get as 0 to 2, and what init keeps
    notify_socket  sd_notify: what apps say by it, and what the monitor says
    multiplexer   copies between the apps' pipes and our own descriptors
    relay         copies between an app's terminal and our own descriptors
    terminal      the caller's terminal: raw for a while, its size
    output        what apps write: into their logs, and through
    losses        output of apps that could not be written, reported once
    input         standard input copied to an app, so that the file stays the caller's
    records       the files of the pod directory that stage1 writes
    processes     PIDs inside the pod and on the host
    isolator_report  isolators.json: every isolator of a pod, and what became of it
    limits        what resources are asked for, as limits
    blockdevices  the disks behind paths
    shortfalls    what an ordinary user's pod does without, and what is said of it
    cgroups       the pod's place in every hierarchy
    init          PID 1 of the pod: forks for the monitor, reaps what ends
    building      the steps by which init leaves the host and builds the pod
    context       what init inherits
    pod_namespaces  the namespaces of a running pod, joined to rebuild an app
    app_marks     a cgroup namespace for each app, by which its processes are known
    kept_volumes  volumes with a size, where a restart finds them
    cgroupview    /sys/fs/cgroup as an app sees it
    tree          the file system of one app
    namefiles     files in /etc by which apps find names
    operations    steps as values: shown, tested, run
    kernelfs      /proc and /sys, with what an app may not see or write
    devices       /dev
    volumes       volumes on their targets
    start         the last steps of a process before it is the app
    pseudoterminal  a terminal of an app's own, made inside, handed out
    identity      users and groups, found inside the rootfs
    inroot        names inside a rootfs that may be hostile
    program       the program to execute, found inside the rootfs
    environment   the app's environment
    trampoline    a program of a few bytes that executes the app, in the place of the host's interpreter
    terminal_guard  a program of a few bytes that restores the caller's terminal after a kill
    sealed        programs of a few bytes, in sealed memory files
    isolators     which isolators are enforced, modified or ignored, and why
    oom           scores for the OOM killer, and its kills reported
    labels        labels of AppArmor and SELinux
    sysctls       kernel parameters of the pod's own namespaces
    hierarchies   where this process stands in the cgroup hierarchies
    cgroupfs      cgroup directories: control files, killing, removal
    pod           the pod directory as stage1 reads it
    restarts      whether and when an app is started again
    exit_policy   what the end of an app means for its pod
    idmap         the ids of a pod: the host's, or an ordinary user's own
    sockets       sockets that apps are started with
    requests      signals that ask something of a pod, held back until they can be answered
    reports       messages between monitor and init
    errors        what can go wrong
    linux         system calls (the only home of ctypes)
"""
