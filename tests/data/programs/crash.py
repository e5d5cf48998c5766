import faulthandler
import os
import resource
import signal
import sys

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.stdout.write("not flushed")
sys.stdout.flush()
kind = sys.argv[1]
if kind == "exception":
    raise ValueError("an error of the program")
if kind == "exit":
    os._exit(7)
if kind == "abort":
    os.abort()
if kind == "segfault":
    faulthandler.disable()
    import ctypes

    ctypes.string_at(0)
if kind == "large":
    sys.exit(300)
if kind == "words":
    sys.exit("the last words")
if kind == "pipe":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.kill(os.getpid(), getattr(signal, "SIG" + kind.upper()))
