"""`envstage init snakemake`: two lines, shown first; undone byte for byte."""

from pathlib import Path

import pytest

from envstage.errors import EnvstageError
from envstage.pipelines.plan import Plan, apply
from envstage.pipelines.snakemake_init import INCLUDE, plan_init, plan_remove

RULE = 'rule train:\n    input: "train.py"\n    output: "model.txt"\n    shell: "python train.py"\n'
BLOCK = f"import envstage\n{INCLUDE}\n\n"


def done(plan: Plan, root: Path) -> Plan:
    apply(plan, str(root))
    return plan


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (RULE, BLOCK + RULE),
        ("# paper\n" + RULE, BLOCK + "# paper\n" + RULE),
        ("# paper\n\n# train\n" + RULE, "# paper\n\n" + BLOCK + "# train\n" + RULE),
        ('configfile: "c.yaml"\n' + RULE, 'configfile: "c.yaml"\n' + BLOCK + RULE),
        ('S = """\nrule x:\n"""\n' + RULE, 'S = """\nrule x:\n"""\n' + BLOCK + RULE),
        (
            "if True:\n    " + RULE.replace("\n", "\n    ").rstrip(" "),
            BLOCK + "if True:\n    " + RULE.replace("\n", "\n    ").rstrip(" "),
        ),
        (RULE.replace("\n", "\r\n"), (BLOCK + RULE).replace("\n", "\r\n")),
        ("rule_name = 1", f"rule_name = 1\n{BLOCK}"),
    ],
)
def test_there_and_back(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "Snakefile").write_bytes(before.encode())
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    first = snapshot(tmp_path)
    done(plan_init(str(tmp_path)), tmp_path)
    assert (tmp_path / "Snakefile").read_bytes().decode() == after
    assert plan_init(str(tmp_path)).is_empty
    if before[-1:] == "\n":
        done(plan_remove(str(tmp_path)), tmp_path)
        assert snapshot(tmp_path) == first


def test_says_what_to_add(tmp_path: Path) -> None:
    (tmp_path / "workflow").mkdir()
    (tmp_path / "workflow" / "Snakefile").write_text(
        'include: "more.smk"\nrule all:\n    input: 1\n'
    )
    (tmp_path / "workflow" / "more.smk").write_text(RULE)
    plan = done(plan_init(str(tmp_path)), tmp_path)
    assert plan.messages[0].endswith('environment="environment/views/train.json",')
    assert "envstage run --view train --" in plan.messages[1]
    assert len(plan.messages) == 2
    assert "train: {}" in (tmp_path / "envstage.yaml").read_text()
    assert (tmp_path / "environment" / ".gitignore").read_text() == "/facets\n/context.json\n"


def test_remove_says_what_still_depends_on_it(tmp_path: Path) -> None:
    text = RULE.replace('"train.py"', '"train.py", "environment/views/train.json"')
    (tmp_path / "Snakefile").write_text(text)
    assert done(plan_init(str(tmp_path)), tmp_path).messages == ()
    plan = plan_remove(str(tmp_path))
    assert any("environment/views/train.json" in text for text in plan.messages)
    assert not any("envstage run" in text for text in plan.messages)
    guarded = (
        (tmp_path / "Snakefile")
        .read_text()
        .replace('"python', '"envstage run --view train -- python')
    )
    (tmp_path / "Snakefile").write_text(guarded)
    messages = plan_remove(str(tmp_path)).messages
    assert any("delete `envstage run --view … --` before its command" in text for text in messages)


@pytest.mark.parametrize("text", ["rule x:\n  input: (", "x = '''"])
def test_not_understood(tmp_path: Path, text: str) -> None:
    (tmp_path / "Snakefile").write_text(text)
    with pytest.raises(EnvstageError, match="cannot be understood"):
        plan_init(str(tmp_path))


def test_other_form_is_left_alone(tmp_path: Path) -> None:
    text = "import envstage\n\nmodule m:\n    snakefile: envstage.snakefile()\n"
    (tmp_path / "Snakefile").write_text(text)
    plan = plan_init(str(tmp_path))
    assert "Snakefile" not in {edit.path for edit in plan.edits}
    with pytest.raises(EnvstageError, match="another form"):
        plan_remove(str(tmp_path))


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EnvstageError, match="no Snakefile"):
        plan_init(str(tmp_path))
    (tmp_path / "Snakefile").write_text(RULE)
    with pytest.raises(EnvstageError, match="not in here"):
        plan_remove(str(tmp_path))
