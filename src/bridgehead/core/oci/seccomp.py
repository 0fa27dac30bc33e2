"""The system calls a confined container may make; all others fail with EPERM.

Grouped by what they serve. Calls that only root of the host should make are opened by the capability that
governs them. Building the kernel's filter costs the runtime about 5 ms for each architecture named, so x32,
which distributions' kernels do not offer, is not among them.
"""

from functools import cache

from msgspec import Raw, Struct, json

_FILES = """
access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
fadvise64 fadvise64_64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64
fdatasync flock fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd
getdents getdents64 ioctl lchown lchown32 link linkat _llseek lseek lstat lstat64 mkdir mkdirat mknod mknodat
name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read
readahead readlink readlinkat readv rename renameat renameat2 rmdir sendfile sendfile64 splice stat stat64
statfs statfs64 statx symlink symlinkat sync sync_file_range syncfs tee truncate truncate64 umask unlink
unlinkat utime utimensat utimensat_time64 utimes vmsplice write writev
fgetxattr flistxattr fremovexattr fsetxattr getxattr getxattrat lgetxattr listxattr listxattrat llistxattr
lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat
fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch
io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioprio_get ioprio_set
"""
_WAITING = """
epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd
eventfd2 _newselect pause pipe pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select
"""
_MEMORY = """
brk cachestat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall
mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect
process_mrelease remap_file_pages
"""
_PROCESSES = """
capget capset execve execveat exit exit_group fork getcpu getegid getegid32 geteuid geteuid32 getgid getgid32
getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32
getrlimit get_robust_list getrusage getsid get_thread_area gettid getuid getuid32 landlock_add_rule
landlock_create_ruleset landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64 rseq seccomp
setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setpgid setpriority setregid
setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid
set_thread_area set_tid_address setuid setuid32 sysinfo ugetrlimit uname uretprobe vfork wait4 waitid waitpid
process_vm_readv process_vm_writev ptrace
sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield
"""
_SIGNALS = """
kill restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn
tgkill tkill
"""
_TIME = """
adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64
clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create
timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64 times
"""
_TALKING = """
accept accept4 bind connect getpeername getrandom getsockname getsockopt listen recv recvfrom recvmmsg
recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown socketcall socketpair
futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake ipc mq_getsetattr mq_notify mq_open
mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink msgctl msgget msgrcv msgsnd
semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
"""
_ALWAYS = tuple(f"{_FILES} {_WAITING} {_MEMORY} {_PROCESSES} {_SIGNALS} {_TIME} {_TALKING}".split())
_BY_CAPABILITY = {
    "CAP_BPF": "bpf",
    "CAP_DAC_READ_SEARCH": "open_by_handle_at",
    "CAP_PERFMON": "perf_event_open",
    "CAP_SYS_ADMIN": (
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount lookup_dcookie "
        "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree "
        "perf_event_open quotactl quotactl_fd setdomainname sethostname setns statmount syslog umount "
        "umount2 unshare"
    ),
    "CAP_SYS_BOOT": "reboot",
    "CAP_SYS_CHROOT": "chroot",
    "CAP_SYS_MODULE": "delete_module finit_module init_module",
    "CAP_SYS_NICE": "get_mempolicy mbind set_mempolicy set_mempolicy_home_node",
    "CAP_SYS_PACCT": "acct",
    "CAP_SYS_PTRACE": "kcmp pidfd_getfd process_madvise",
    "CAP_SYS_RAWIO": "ioperm iopl",
    "CAP_SYS_TIME": "clock_settime clock_settime64 settimeofday stime",
    "CAP_SYS_TTY_CONFIG": "vhangup",
    "CAP_SYSLOG": "syslog",
}
_ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
    "riscv64": ("SCMP_ARCH_RISCV64",),
}
_BY_MACHINE = {
    "x86_64": "arch_prctl modify_ldt",
    "aarch64": "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
    "riscv64": "riscv_flush_icache",
}
_EPERM, _ENOSYS = 1, 38
_AF_VSOCK = 40
# Linux and Linux 32-bit, each with and without a fixed address layout, and the question what it is now.
_PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)
# Mount, control group, UTS, IPC, user, process id and network namespaces, as flags of clone.
_NAMESPACE_FLAGS = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000


class Argument(Struct, frozen=True, rename="camel"):
    index: int
    value: int
    op: str
    value_two: int = 0


class Rule(Struct, frozen=True, rename="camel", omit_defaults=True):
    names: tuple[str, ...]
    action: str
    errno_ret: int | None = None
    args: tuple[Argument, ...] = ()


class Profile(Struct, frozen=True, rename="camel"):
    default_action: str
    default_errno_ret: int
    architectures: tuple[str, ...]
    syscalls: tuple[Rule, ...]


@cache
def profile(capabilities: frozenset[str], machine: str) -> Raw:
    """As JSON text, ready to be set into a configuration. `machine` as in `uname -m`."""
    rules = (*_plain(capabilities, machine), *_filtered(), *_clones(capabilities))
    return Raw(
        json.encode(
            Profile(
                default_action="SCMP_ACT_ERRNO",
                default_errno_ret=_EPERM,
                architectures=_ARCHITECTURES.get(machine, ()),
                syscalls=rules,
            )
        )
    )


def allowed(capabilities: frozenset[str], machine: str) -> frozenset[str]:
    """Names of the calls that are free whatever their arguments."""
    opened = " ".join(words for name, words in _BY_CAPABILITY.items() if name in capabilities)
    return frozenset(_ALWAYS) | set(opened.split()) | set(_BY_MACHINE.get(machine, "").split())


def _plain(capabilities: frozenset[str], machine: str) -> tuple[Rule, ...]:
    return (_allow(*sorted(allowed(capabilities, machine))),)


def _filtered() -> tuple[Rule, ...]:
    socket = _allow("socket", args=(Argument(0, _AF_VSOCK, "SCMP_CMP_NE"),))
    personalities = (
        _allow("personality", args=(Argument(0, value, "SCMP_CMP_EQ"),)) for value in _PERSONALITIES
    )
    return (socket, *personalities)


def _clones(capabilities: frozenset[str]) -> tuple[Rule, ...]:
    """New processes and threads, but no new namespaces. clone3 hides its flags: libc must fall back."""
    if "CAP_SYS_ADMIN" in capabilities:
        return ()
    return (
        _allow("clone", args=(Argument(0, _NAMESPACE_FLAGS, "SCMP_CMP_MASKED_EQ", 0),)),
        Rule(("clone3",), "SCMP_ACT_ERRNO", _ENOSYS),
    )


def _allow(*names: str, args: tuple[Argument, ...] = ()) -> Rule:
    return Rule(names, "SCMP_ACT_ALLOW", None, args)
