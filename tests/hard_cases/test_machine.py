"""Hard cases of the machine: point updates of the system, three cuDNNs that can differ."""

import shutil
from pathlib import Path

import pytest

from envstage.facets import system
from envstage.facets.catalogue import rule_of
from tests.facets.requests import request
from tests.hosts import HOSTS, CapturedHost
from tests.repository import Repository, place

CUDNN_H = """\
#define CUDNN_MAJOR 8
#define CUDNN_MINOR 0
#define CUDNN_PATCHLEVEL 3
"""
BUILD_INFO = """\
import collections
build_info = collections.OrderedDict([('cuda_version', '11.2'), ('cudnn_version', '8')])
"""


@pytest.mark.hard_case(43)
def test_a_point_update_of_the_system_changes_nothing_that_counts(tmp_path: Path) -> None:
    def counting(release: str) -> object:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        shutil.copytree(HOSTS / "debian-12", folder)
        (folder / "files" / "etc" / "os-release").write_text(release)
        facts = system.collect(CapturedHost(folder), request()).facts
        return {
            address: value
            for address, value in facts.items()
            if (rule := rule_of(address)) is not None and rule.counts and rule.level is not None
        }

    now = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\nBUILD_ID=1\n'
    later = (
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm, 12.9)"\nNAME="Debian"\nID=debian\n'
        'VERSION_ID="12"\nVERSION="12.9"\nBUILD_ID=rolling-77\nHOME_URL="https://elsewhere/"\n'
        'IMAGE_VERSION="2026-11"\nSUPPORT_END=2030-01-01\n'
    )
    assert counting(now) == counting(later)
    assert counting(now) != counting(now.replace('"12"', '"13"', 1))


@pytest.mark.hard_case(14)
def test_compiled_for_shipped_and_loaded_are_three_facts(tmp_path: Path) -> None:
    repository = Repository.at(tmp_path)
    files = {"tensorflow/__init__.py": "", "tensorflow/python/platform/build_info.py": BUILD_INFO}
    repository.install("tensorflow", "2.11.0", files=files)
    library = {"nvidia/cudnn/lib/libcudnn.so.8": b"\x7fELF"}
    repository.install("nvidia-cudnn-cu11", "8.3.2.44", files=library)
    loaded = tmp_path / "cudnn" / "lib64"
    place(loaded, "libcudnn.so.8.0.3", "")
    (loaded / "libcudnn.so.8").symlink_to("libcudnn.so.8.0.3")
    place(tmp_path / "cudnn", "include/cudnn_version.h", CUDNN_H)
    said = repository.capture(LD_LIBRARY_PATH=str(loaded))
    cuda = repository.facts()["hardware"]["cuda"]
    assert cuda["cudnn_compiled"]["tensorflow"] == "8"
    assert cuda["shipped"]["cudnn"] == "8.3.2.44"
    assert cuda["system"]["cudnn"] == "8.0.3"
    assert "LD_LIBRARY_PATH" in said and "8.3.2.44" in said
