"""Everything that a program can ask about how it was started."""

import os
import resource
import signal
import sys

OBSERVERS = ("PYTHONPATH", "ENVSTAGE_OBSERVE")
print({name: value for name, value in os.environ.items() if name not in OBSERVERS})
print([name for name in os.environ if "ENVSTAGE" in name and name not in OBSERVERS])
print(os.getcwd(), os.getpgrp(), os.getsid(0), os.nice(0), oct(os.umask(0)))
print(os.sched_getaffinity(0), os.sched_getscheduler(0))
names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
print({name: resource.getrlimit(getattr(resource, name)) for name in names})
print(sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), sorted(signal.sigpending()))
with open("/proc/self/status") as file:
    print([line for line in file if line.startswith(("SigIgn", "SigCgt", "Seccomp", "NoNewPrivs"))])
print(sys.orig_argv, sys.executable, sys.flags, sys.path)
for descriptor in map(int, sys.argv[1:]):
    print(descriptor, os.fstat(descriptor).st_ino, os.read(descriptor, 3), os.get_inheritable(descriptor))
print(os.open("/dev/null", os.O_RDONLY))
