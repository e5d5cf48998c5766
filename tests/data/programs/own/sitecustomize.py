import sys

# envstage itself is a Python program, which runs this file, too.
if sys.orig_argv[1:2] == ["script.py"]:
    sys.stdout.write("the user's own\n")
