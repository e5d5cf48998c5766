"""Code imported from a zip file of the project."""

import sys
import zipfile

with zipfile.ZipFile("code.zip", "w") as archive:
    archive.writestr("zipped.py", "import yaml\nNAME = yaml.__name__\n")
sys.path.insert(0, "code.zip")

import zipped

print(zipped.NAME)
