"""System calls that Python does not offer, one typed function each; failure is an OSError with text and path.

The only home of ctypes in the project. Modules, from top to bottom:

    forks         a fork into new namespaces
    execution     the next program: label, filter of system calls, execve
    bpf           which devices a cgroup may open
    namespaces    unshare, setns, pivot_root, names and the loopback interface
    mounts        mounts as file descriptors and by path
    security      capabilities, no_new_privs, keyrings, dumpable
    signals       signals without the module signal
    libc          the C library, loaded once
"""
