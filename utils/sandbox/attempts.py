"""Run in a sandbox by the probe: try everything that must fail there, and tell what did not.

Standard library only, and self-contained. Standard input holds what there is outside; the answer on standard output is
{attempt: what it achieved, or null}. An attempt that is denied raises OSError or returns None.
"""

import contextlib
import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import sys

SYSTEM_FOLDERS = ("/", "/usr", "/etc", "/dev", "/proc/sys/kernel", "/given")


def files(outside):
    """Read a file that was not given."""
    ways = ("", "/proc/1/root", "/proc/self/cwd/../../..", "/proc/1/cwd/../../..")
    return next((way + path for path in outside["paths"] for way in ways if os.path.exists(way + path)), None)


def writing(outside):
    """Write where others could read it."""
    for folder in (*SYSTEM_FOLDERS, *outside["read_only"]):
        with contextlib.suppress(OSError):
            os.close(os.open(folder + "/written", os.O_CREAT | os.O_WRONLY))
            return folder
    with contextlib.suppress(OSError):
        open(sys.executable, "ab").close()
        return sys.executable


def processes(outside):
    """See a process outside, or send it a signal."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
            if outside["token"] in file.read():
                return f"/proc/{pid}/cmdline"
    os.kill(outside["pid"], 0)
    return f"a signal to process {outside['pid']}"


def network(outside):
    """Reach a port of this machine, or an address beyond it."""
    for address in (("127.0.0.1", outside["port"]), ("192.0.2.1", 9)):      # the second is for examples: RFC 5737
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
            there.connect(address)
            if address[1] == 9:
                return "a route to the internet"
        with contextlib.suppress(OSError):
            socket.create_connection(address, 1).close()
            return ":".join(map(str, address))


def abstract_sockets(outside):
    """Reach a socket that has no file."""
    with socket.socket(socket.AF_UNIX) as there:
        there.connect("\0" + outside["token"])
    return "a socket without a file"


def environment(outside):
    """Read the environment of what started this."""
    for pid in ("self", "1"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ") as file:
            if outside["token"] in file.read():
                return f"/proc/{pid}/environ"


def descriptors(_):
    """Find an open file that nobody meant to hand on."""
    found = {name for name in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{name}")} - {"0", "1", "2"}
    return f"descriptors {', '.join(sorted(found))}" if found else None


def shared_memory(outside):
    """Find memory that programs of this machine share."""
    with open("/proc/sysvipc/shm") as file:
        return next((line for line in file if str(outside["key"]) in line.split()), None)


def host_name(outside):
    """Learn the name of this machine."""
    return socket.gethostname() if socket.gethostname() == outside["host"] else None


def terminal(_):
    """Type into the terminal that grading was started from."""
    os.close(os.open("/dev/tty", os.O_RDWR))
    return "/dev/tty"


def rights(_):
    """Have or get more rights than nobody."""
    with open("/proc/self/status") as file:
        status = dict(line.rstrip("\n").split(":\t") for line in file if ":\t" in line)
    held = [name for name in ("CapPrm", "CapEff", "CapBnd") if int(status[name], 16)]
    if held or status["NoNewPrivs"].strip() != "1" or os.getuid() == 0:
        return f"uid {os.getuid()}, {', '.join(held) or 'no capabilities'}, NoNewPrivs {status['NoNewPrivs'].strip()}"
    os.setuid(0)
    return "uid 0"


def user_namespaces(_):
    """Become root of a namespace of one's own."""
    if ctypes.CDLL(None).unshare(0x10000000) == 0:
        return "a new user namespace"


def system_calls(_):
    """Take memory that nothing counts, or look into another process."""
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(OSError, AttributeError):
        os.close(os.memfd_create("free"))
        return "memfd_create"
    if libc.shmget(0, 4096, 0o1600) >= 0:
        return "shmget"
    if libc.ptrace(0, 0, 0, 0) == 0:
        return "ptrace"


def memory(_):
    """Reserve more address space than is allowed."""
    with contextlib.suppress(OSError, MemoryError):
        mmap.mmap(-1, 2 << 30).close()
        return "2 GiB"


def tasks(_):
    """Start more processes than are allowed."""
    started = []
    try:
        while len(started) < 100:
            pid = os.fork()
            if pid == 0:
                signal.pause()
                os._exit(0)
            started.append(pid)
    except OSError:
        return None
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"{len(started)} processes"


def file_size(_):
    """Write one file that is larger than allowed."""
    return _write("/learner/large", 1, 3 << 20)


def memory_files(_):
    """Fill the folders in memory."""
    written = (_write(folder + "/part", 40, 1 << 18) for folder in ("/tmp", "/dev/shm", "/learner"))
    return next(filter(None, written), None)


def _write(path, count, size):
    """What could be written: `count` files of `size` bytes; None if that was stopped."""
    names = [f"{path}{k}" for k in range(count)]
    try:
        for name in names:
            with open(name, "wb") as file:
                file.write(bytes(size))
        return f"{count} files of {size} bytes in {os.path.dirname(path)}"
    except OSError:
        return None
    finally:
        for name in names:
            with contextlib.suppress(OSError):
                os.unlink(name)


def open_files(_):
    """Open more files than are allowed."""
    opened = []
    try:
        while len(opened) < 1000:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        return None
    finally:
        for number in opened:
            os.close(number)
    return f"{len(opened)} files"


def core_dumps(_):
    """Leave an image of memory behind, or raise a limit."""
    if resource.getrlimit(resource.RLIMIT_CORE) != (0, 0):
        return "a core dump"
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            return "a limit raised"


ATTEMPTS = (descriptors, files, writing, processes, network, abstract_sockets, environment, shared_memory,
            host_name, terminal, rights,
            user_namespaces, system_calls, memory, tasks, file_size, memory_files, open_files, core_dumps)


def outlive():
    """Leave a process behind that holds standard error open: it must end with the sandbox."""
    if os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pause()
        os._exit(0)


def main():
    outside = json.loads(sys.stdin.readline())
    done = {}
    for attempt in ATTEMPTS:
        try:
            done[attempt.__name__] = attempt(outside)
        except OSError:
            done[attempt.__name__] = None
    outlive()
    print(json.dumps(done), flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
