/* A static program that says what an app sees, as one JSON object on stdout, or does one thing and says how that went.
 *
 *   probe                     report
 *   probe exit N              end with N
 *   probe write TEXT ERR N    write TEXT to stdout and ERR to stderr, end with N
 *   probe try PATH            open PATH for reading; prints 0 or errno
 *   probe write-to PATH       open PATH for writing; prints 0 or errno
 *   probe mknod PATH MAJ MIN  make a block device and open it; prints both results
 *   probe syscall N           make system call N with zeros; prints result or -errno
 *   probe call N A...         the same with up to six arguments (0x... is hexadecimal); a child that it makes ends
 *   probe trace PID           attach to process PID, 0 for a child of its own; prints 0 or errno
 *   probe int80 N             make the i386 system call N, as any program on x86-64 can
 *   probe trap N              wait for SIGTERM, end with N
 *   probe stay N              report, then as trap
 *   probe ignore              ignore SIGTERM and wait
 *   probe orphans N           fork N grandchildren that end at once, then report
 *   probe chain PATH          lock PATH, then fork and end at once, over and over: the same program in ever another process
 *   probe headless PATH       lock PATH, then wait in a second thread, without the first
 *   probe forbid PATH         make PATH, and forbid to change or to remove it (FS_IMMUTABLE_FL); prints 0 or errno
 *   probe lock PATH [N]       lock PATH without waiting; prints 0 or errno; with N, then as trap
 *   probe connect PORT        connect to 127.0.0.1:PORT; prints 0 or errno
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void quote(const char *text) {
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') printf("\\%c", c);
        else if (c < 32 || c > 126) printf("\\u%04x", c);
        else putchar(c);
    }
    putchar('"');
}

static void lines(const char *name, const char *path) {
    char line[8192];
    FILE *file = fopen(path, "r");
    int first = 1;
    printf(",\"%s\":[", name);
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        if (!first) putchar(',');
        first = 0;
        quote(line);
    }
    if (file) fclose(file);
    putchar(']');
}

static void links(const char *name, const char *path) {
    char target[4096];
    struct dirent *entry;
    DIR *directory = opendir(path);
    int first = 1;
    printf(",\"%s\":{", name);
    while (directory && (entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || (!strcmp(name, "fds") && atoi(entry->d_name) == dirfd(directory))) continue;
        ssize_t size = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        target[size < 0 ? 0 : size] = 0;
        if (!first) putchar(',');
        first = 0;
        quote(entry->d_name);
        putchar(':');
        quote(target);
    }
    if (directory) closedir(directory);
    putchar('}');
}

static int report(int argc, char **argv, char **envp) {
    char text[4096];
    gid_t groups[256];
    uid_t ruid, euid, suid;
    gid_t rgid, egid, sgid;
    getresuid(&ruid, &euid, &suid);
    getresgid(&rgid, &egid, &sgid);
    int count = getgroups(256, groups);
    printf("{\"pid\":%d,\"ppid\":%d,\"sid\":%d", getpid(), getppid(), getsid(0));
    printf(",\"uids\":[%u,%u,%u],\"gids\":[%u,%u,%u],\"groups\":[", ruid, euid, suid, rgid, egid, sgid);
    for (int i = 0; i < count; i++) printf(i ? ",%u" : "%u", groups[i]);
    printf("],\"cwd\":");
    quote(getcwd(text, sizeof text) ? text : "");
    gethostname(text, sizeof text);
    printf(",\"hostname\":");
    quote(text);
    printf(",\"umask\":%d", umask(0));
    printf(",\"argv\":[");
    for (int i = 0; i < argc; i++) {
        if (i) putchar(',');
        quote(argv[i]);
    }
    printf("],\"environment\":[");
    for (char **item = envp; *item; item++) {
        if (item != envp) putchar(',');
        quote(*item);
    }
    putchar(']');
    lines("status", "/proc/self/status");
    lines("mounts", "/proc/self/mountinfo");
    lines("cgroup", "/proc/self/cgroup");
    links("namespaces", "/proc/self/ns");
    links("fds", "/proc/self/fd");
    printf("}\n");
    return 0;
}

/* Print what was handed over from descriptor 3 on; when it is to serve, answer one caller on the first of them. */
static int sockets(int serve) {
    const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
    printf("%s %s %d\n", count ? count : "-", names ? names : "-", pid && atoi(pid) == getpid());
    for (int fd = 3; fcntl(fd, F_GETFD) >= 0; fd++) {
        struct sockaddr_in address;
        socklen_t size = sizeof address, length = sizeof(int);
        int type = 0, listening = 0;
        if (getsockname(fd, (struct sockaddr *)&address, &size)) return 98;
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length);
        printf("%s %d %d\n", type == SOCK_STREAM ? "tcp" : "udp", ntohs(address.sin_port), listening);
    }
    fflush(stdout);
    if (!serve) return 0;
    int caller = accept(3, NULL, NULL);
    return write(caller, "served\n", 7) == 7 ? 0 : 99;
}

static volatile sig_atomic_t ending = 0;
static void on_term(int number) { ending = number; }

/* From here on SIGTERM is kept for await_term: what came between a look at *ending* and a pause would be waited for in vain. */
static void keep_term(void (*answer)(int)) {
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    signal(SIGTERM, answer);
}

static void await_term(void) {
    sigset_t none;
    sigemptyset(&none);
    while (!ending) sigsuspend(&none);
}

static int chain(void *link) {
    static char stacks[64][8192] __attribute__((aligned(16))); // the one before may not be done with its own
    long next = (long)link + 1;
    while (clone(chain, stacks[next % 64] + sizeof *stacks, CLONE_VM, (void *)next) < 0) sched_yield();
    _exit(0);
}

static void *stay(void *unused) {
    for (;;) pause();
    return unused;
}

static int headless(void) {
    pthread_t other;
    if (pthread_create(&other, NULL, stay, NULL)) return 1;
    return syscall(SYS_exit, 0);
}

int main(int argc, char **argv, char **envp) {
    const char *mode = argc > 1 ? argv[1] : "report";
    if (!strcmp(mode, "exit")) return atoi(argv[2]);
    if (!strcmp(mode, "write")) {
        if (write(1, argv[2], strlen(argv[2])) < 0 || write(2, argv[3], strlen(argv[3])) < 0) return 99;
        return atoi(argv[4]);
    }
    if (!strcmp(mode, "try") || !strcmp(mode, "write-to")) {
        int fd = open(argv[2], (mode[0] == 't' ? O_RDONLY : O_WRONLY) | O_NONBLOCK);
        printf("%d\n", fd < 0 ? errno : 0);
        return 0;
    }
    if (!strcmp(mode, "mknod")) {
        int made = mknod(argv[2], S_IFBLK | 0600, makedev(atoi(argv[3]), atoi(argv[4]))) ? errno : 0;
        int opened = open(argv[2], O_RDONLY) < 0 ? errno : 0;
        printf("%d %d\n", made, opened);
        return 0;
    }
    if (!strcmp(mode, "syscall")) {
        long result = syscall(atol(argv[2]), 0, 0, 0, 0, 0, 0);
        printf("%ld\n", result < 0 ? -(long)errno : result);
        return 0;
    }
    if (!strcmp(mode, "call")) {
        long word[6] = {0}, caller = getpid();
        for (int i = 0; i < 6 && i + 3 < argc; i++) word[i] = strtoul(argv[i + 3], NULL, 0);
        long result = syscall(strtol(argv[2], NULL, 0), word[0], word[1], word[2], word[3], word[4], word[5]);
        if (getpid() != caller || getppid() == caller) _exit(0);
        printf("%ld\n", result < 0 ? -(long)errno : result);
        return 0;
    }
    if (!strcmp(mode, "families")) { // what socket and socketpair say of each family of sockets
        for (int family = 0, pair[2]; family < 64; family++) {
            int one = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0 ? errno : 0;
            int two = socketpair(family, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0 ? errno : 0;
            printf("%d %d %d\n", family, one, two);
        }
        return 0;
    }
    if (!strcmp(mode, "trace")) {
        pid_t target = atoi(argv[2]), child = 0;
        if (target == 0) {
            target = child = fork();
            while (child == 0) pause();
        }
        printf("%d\n", ptrace(PTRACE_ATTACH, target, NULL, NULL) ? errno : 0);
        if (child) kill(child, SIGKILL);
        return 0;
    }
#ifdef __x86_64__
    if (!strcmp(mode, "int80")) {
        long result = atol(argv[2]);
        __asm__ volatile("int $0x80" : "+a"(result) : "b"(0L), "c"(0L), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
        printf("%ld\n", result);
        return 0;
    }
#endif
    if (!strcmp(mode, "chain")) return flock(open(argv[2], O_RDONLY), LOCK_EX) ? errno : chain(NULL);
    if (!strcmp(mode, "headless")) return flock(open(argv[2], O_RDONLY), LOCK_EX) ? errno : headless();
    if (!strcmp(mode, "forbid")) {
        int flags = FS_IMMUTABLE_FL;
        printf("%d\n", ioctl(open(argv[2], O_RDONLY | O_CREAT, 0600), FS_IOC_SETFLAGS, &flags) ? errno : 0);
        return 0;
    }
    if (!strcmp(mode, "lock")) {
        if (argc > 3) keep_term(on_term);
        printf("%d\n", flock(open(argv[2], O_RDONLY), LOCK_EX | LOCK_NB) ? errno : 0);
        fflush(stdout);
        if (argc < 4) return 0;
        await_term();
        return atoi(argv[3]);
    }
    if (!strcmp(mode, "trap") || !strcmp(mode, "ignore") || !strcmp(mode, "stay")) {
        keep_term(mode[0] == 'i' ? SIG_IGN : on_term);
        if (mode[0] == 's') report(argc, argv, envp);
        printf("waiting\n");
        fflush(stdout);
        await_term();
        return atoi(argv[2]);
    }
    if (!strcmp(mode, "orphans")) {
        for (int i = 0; i < atoi(argv[2]); i++) {
            pid_t child = fork();
            if (child == 0) _exit(fork() < 0 ? 1 : 0);
            waitpid(child, NULL, 0);
        }
        return 0;
    }
    if (!strcmp(mode, "eat")) { // memory, page by page
        size_t size = strtoul(argv[2], NULL, 10);
        volatile char *place = malloc(size);
        for (size_t at = 0; place && at < size; at += 4096) place[at] = 1;
        puts(place ? "eaten" : "refused");
        return 0;
    }
    if (!strcmp(mode, "sockets")) return sockets(argc > 2);
    if (!strcmp(mode, "notify")) { // one datagram to the socket that the environment names
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof address.sun_path - 1);
        int end = socket(AF_UNIX, SOCK_DGRAM, 0);
        return sendto(end, argv[2], strlen(argv[2]), 0, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    }
    if (!strcmp(mode, "connect")) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        printf("%d\n", connect(fd, (struct sockaddr *)&address, sizeof address) ? errno : 0);
        return 0;
    }
    return report(argc, argv, envp);
}
