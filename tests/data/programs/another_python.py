import subprocess
import sys

text = "import sys; print(sys.argv, sys.flags, list(sys.modules) != []); sys.exit(5)"
for options in ([], ["-I"], ["-S"], ["-X", "utf8"]):
    done = subprocess.run(
        [sys.argv[1], *options, "-c", text, "word"], stdout=subprocess.PIPE, check=False
    )
    print(options, done.returncode, done.stdout)
