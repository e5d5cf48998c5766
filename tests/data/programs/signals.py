"""Say which signals arrived, and how often each, once SIGUSR1 asks for it."""

import os
import signal
import sys
import time

COUNTED = ("INT", "TERM", "HUP", "QUIT", "USR2", "WINCH", "CONT", "ALRM", "TSTP")
heard = []


def hear(number, frame):
    heard.append(signal.Signals(number).name)
    with open("heard.txt", "a") as file:
        file.write(heard[-1] + "\n")


def say(number, frame):
    os.write(1, (" ".join(heard) + "\n").encode())
    sys.exit(0)


counted = [name for name in COUNTED if name not in sys.argv[1:]]
for name in counted:
    signal.signal(getattr(signal, "SIG" + name), hear)
signal.signal(signal.SIGUSR1, say)
with open("pid.part", "w") as file:
    file.write(str(os.getpid()))
os.rename("pid.part", "pid.txt")
while True:
    time.sleep(0.05)
