"""What was built against what was captured, package by package."""

from envstage.recreate.verdicts import Verdict, judge
from envstage.snapshot.model import Address, Level, Snapshot, Value


def snapshot(**builds: str) -> Snapshot:
    facts: dict[Address, Value] = {}
    for name, build in builds.items():
        facts["packages", name, "version"] = "1.0"
        facts["packages", name, "build"] = f"sha256:{build * 64}"
    return Snapshot(environment="main", level=Level.PLATFORM, facts=facts)


def test_another_build_of_an_installer_is_told_and_counts_nowhere() -> None:
    # Debian's `python -m venv` installs a pip and a setuptools that no index has.
    verdicts = {
        each.name: each.verdict
        for each in judge(snapshot(pip="a", numpy="a"), snapshot(pip="b", numpy="b"))
    }
    assert verdicts == {"pip": Verdict.OTHER_INSTALLER, "numpy": Verdict.OTHER_BUILD}
    assert verdicts["pip"].is_good
    assert not verdicts["numpy"].is_good
    [same] = judge(snapshot(pip="a"), snapshot(pip="a"))
    assert same.verdict is Verdict.SAME
