"""Binary from end to end; a closed stream is no stream."""

import os
import sys

for name in ("stdin", "stdout", "stderr"):
    with open("streams.txt", "a") as file:
        file.write("%s %s\n" % (name, getattr(sys, name) is None))
if sys.stdin is not None and sys.stdout is not None:
    data = sys.stdin.buffer.read()
    sys.stdout.buffer.write(data[::-1])
    sys.stdout.buffer.flush()
    os.write(2, b"%d bytes" % len(data))
