"""A shell with job control: one job in the foreground, which goes on whenever a line is read."""

import os
import signal
import subprocess
import sys

signal.signal(signal.SIGTTOU, signal.SIG_IGN)


def prepare():
    os.setpgrp()
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


job = subprocess.Popen(sys.argv[1:], preexec_fn=prepare)
while True:
    _, status = os.waitpid(job.pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        break
    os.tcsetpgrp(0, os.getpgrp())
    print("STOPPED", os.WSTOPSIG(status), flush=True)
    sys.stdin.readline()
    os.tcsetpgrp(0, job.pid)
    os.killpg(job.pid, signal.SIGCONT)
print("ENDED", os.WEXITSTATUS(status), flush=True)
