import os
import sys

for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.isatty(), os.get_terminal_size(stream.fileno()))
print(os.tcgetpgrp(0) == os.getpgrp(), os.ttyname(0) == os.ttyname(1))
print("said", input("name? "))
