"""A daemon that outlives its parent."""

import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (0, 1, 2):
            os.dup2(os.open("/dev/null", os.O_RDWR), number)
        while os.getppid() not in (1,) and not os.path.exists("ended.txt"):
            time.sleep(0.01)
        with open("daemon.part", "w") as file:
            file.write("alive\n")
        os.rename("daemon.part", "daemon.txt")
    os._exit(0)
os.wait()
print("the daemon is on its own")
