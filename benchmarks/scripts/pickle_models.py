"""Unpickling imports what the pickle names."""

import pickle
import subprocess
import sys

code = "import pickle, fractions, yaml; pickle.dump(yaml.SafeLoader, open('it.pkl', 'wb'))"
subprocess.run([sys.executable, "-c", code], check=True)
with open("it.pkl", "rb") as file:
    print(pickle.load(file).__name__)
