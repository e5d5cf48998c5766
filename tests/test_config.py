"""The configuration: what is written is what is meant, and every complaint names its line."""

import pathlib
import re
import shutil

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envstage import config_file as configuration
from envstage.config import COLUMNS_AT_MOST, Config, Environment, Guard, View
from envstage.errors import MISUSE, EnvstageError
from envstage.snapshot.model import Level
from envstage.views.projection import check_patterns
from envstage.yaml_node import LIMIT_BYTES, LIMIT_DEPTH, LIMIT_NODES

ROOT = pathlib.Path(__file__).parent.parent


def load(folder: pathlib.Path, text: str | bytes, name: str = "envstage.yaml") -> Config:
    content = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(content)
    return configuration.load(str(folder))


def complaint(folder: pathlib.Path, text: str | bytes, name: str = "envstage.yaml") -> str:
    with pytest.raises(EnvstageError) as caught:
        load(folder, text, name)
    assert caught.value.exit_code == MISUSE
    message = str(caught.value)
    assert "\n" not in message
    return message


# The documented defaults


def test_the_repositorys_params_yaml_is_the_codes_defaults(tmp_path: pathlib.Path) -> None:
    shutil.copy(ROOT / "params.yaml", tmp_path)
    loaded = configuration.load(str(tmp_path))
    assert loaded.source == "params.yaml"
    assert msgspec.structs.replace(loaded, source="") == Config()


def test_the_repositorys_params_yaml_names_every_setting() -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    types = (Config, Environment, Guard, View)
    settings = {name for each in types for name in each.__struct_fields__}
    for name in settings - {"source", "name"}:
        assert f" {name}:" in text, name


def test_the_commented_examples_of_params_yaml_are_right(tmp_path: pathlib.Path) -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("  views: {}\n", "")
    head, views = text.split("  # views:\n")
    views = re.sub("^  # ", "  ", views, flags=re.MULTILINE)
    head = head.replace("      # where:\n      #  ", "      where:\n       ")
    config = load(tmp_path, f"{head}  views:\n{views}", "params.yaml")
    check_patterns(config)
    assert config.environment("main").where == (("hardware.gpu.models", "*H100*"),)
    assert config.view("train") == View(
        name="train",
        level=Level.SOFTWARE,
        include=("system.kernel",),
        exclude=("packages.black",),
        tolerance=(("packages.numpy", "major.minor"),),
    )


# What is written


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "columns:\nviews: ~\n"])
def test_nothing_written_is_the_defaults(tmp_path: pathlib.Path, text: str) -> None:
    assert msgspec.structs.replace(load(tmp_path, text), source="") == Config()


def test_no_file_is_the_defaults(tmp_path: pathlib.Path) -> None:
    assert configuration.load(str(tmp_path)) == Config()
    assert not configuration.exists(str(tmp_path))


def test_everything_that_can_be_written(tmp_path: pathlib.Path) -> None:
    config = load(
        tmp_path,
        """
environments:
  main: {python: .venv/bin/python, level: software}
  gpu:
    python: 3.10
    level: hardware
    where: {hardware.gpu.models: "*H100*", system.os: linux}
columns: [python.version, packages.torch.version]
variables: {watch: [MY_FLAG, OTHER, MY_FLAG]}
tools: [samtools]
container: {image: "example.org/train@sha256:0a"}
verify: true
timeout_s: 5
views:
  prepare:
  train:
    environment: gpu
    level: platform
    include: [system.kernel]
    exclude: [packages.black, "packages.types-*"]
    tolerance: {hardware.gpu.driver: major, packages.numpy: ignore}
""",
    )
    gpu = Environment(
        name="gpu",
        python="3.10",
        level=Level.HARDWARE,
        where=(("hardware.gpu.models", "*H100*"), ("system.os", "linux")),
    )
    train = View(
        name="train",
        environment="gpu",
        level=Level.PLATFORM,
        include=("system.kernel",),
        exclude=("packages.black", "packages.types-*"),
        tolerance=(("hardware.gpu.driver", "major"), ("packages.numpy", "ignore")),
    )
    assert config == Config(
        source="envstage.yaml",
        environments=(Environment(python=".venv/bin/python", level=Level.SOFTWARE), gpu),
        columns=("python.version", "packages.torch.version"),
        watch=("MY_FLAG", "OTHER"),
        tools=("samtools",),
        image="example.org/train@sha256:0a",
        verify=True,
        timeout_s=5,
        views=(View(name="prepare"), train),
    )
    assert config.view("train") is config.views[1]
    assert config.environment("gpu") == gpu
    assert config.views_of("gpu") == (train,)


@pytest.mark.parametrize("word", ["3.10", "1e3", "0x10", "true", "2026-01-01", "1_000"])
def test_a_text_is_what_is_written(tmp_path: pathlib.Path, word: str) -> None:
    config = load(tmp_path, f"environments: {{main: {{python: {word}}}}}\ntools: [{word}]\n")
    assert config.environment("main").python == word
    assert config.tools == (word,)


def test_no_columns_and_no_environment_are_not_the_same(tmp_path: pathlib.Path) -> None:
    config = load(tmp_path, "columns: []\nenvironments: {}\n")
    assert config.columns == ()
    assert config.environments == (Environment(),)


def test_anchors_and_aliases_are_understood(tmp_path: pathlib.Path) -> None:
    config = load(tmp_path, "views:\n  a: &a {include: [system.kernel]}\n  b: *a\n")
    assert config.view("a").include == config.view("b").include == ("system.kernel",)


# params.yaml


@pytest.mark.parametrize(
    "text",
    [
        "seed: 1\nenvstage:\n  verify: true\n",
        "'envstage': {verify: true}\n",
        '"envstage" : {verify: true}\n',
        b"\xef\xbb\xbfenvstage:\r\n  verify: true\r\n",
    ],
)
def test_the_section_of_params_yaml(tmp_path: pathlib.Path, text: str | bytes) -> None:
    config = load(tmp_path, text, "params.yaml")
    assert config.verify
    assert config.source == "params.yaml"
    assert configuration.exists(str(tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "seed: 1\n",
        "train:\n  envstage:\n    verify: true\n",
        "# envstage:\n",
        "[1, 2]\n",
        "note: |\n  first\nenvstages: {verify: true}\n",
        "this: is: not: YAML\n",
    ],
)
def test_a_params_yaml_without_our_section_is_not_ours(tmp_path: pathlib.Path, text: str) -> None:
    assert load(tmp_path, text, "params.yaml") == Config()
    assert not configuration.exists(str(tmp_path))


def test_the_rest_of_params_yaml_may_be_large(tmp_path: pathlib.Path) -> None:
    numbers = ", ".join("1" for _ in range(LIMIT_NODES + 1))
    nested = "[" * (LIMIT_DEPTH + 1) + "]" * (LIMIT_DEPTH + 1)
    text = f"grid: [{numbers}]\nnested: {nested}\nenvstage: {{verify: true}}\n"
    assert load(tmp_path, text, "params.yaml").verify


def test_a_complaint_about_the_section_names_file_line_and_key(tmp_path: pathlib.Path) -> None:
    message = complaint(tmp_path, "seed: 1\nenvstage:\n  verfy: true\n", "params.yaml")
    assert message == (
        "params.yaml:3: envstage.verfy: `verfy` is not a setting. Did you mean `verify`?"
    )


def test_the_section_written_twice(tmp_path: pathlib.Path) -> None:
    message = complaint(tmp_path, "envstage: {}\nseed: 1\nenvstage: {}\n", "params.yaml")
    assert "params.yaml:3: envstage: written twice" in message


def test_both_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "params.yaml").write_text("seed: 1\nenvstage:\n  verify: true\n")
    message = complaint(tmp_path, "verify: true\n")
    assert message.startswith("params.yaml:3: both envstage.yaml and a section `envstage:`")
    assert "Keep one" in message


# Complaints


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("verify: true\ntools: [a\nviews: {}\n", "envstage.yaml:3: is not YAML"),
        ("a: b: c\n", "envstage.yaml:1: is not YAML"),
        ("verify: true\n\tx: 1\n", "envstage.yaml:2: is not YAML"),
        ("verify: true\n---\nverify: false\n", "envstage.yaml:2: is not YAML"),
        (b"verify: true\ntools: [\xff]\n", "envstage.yaml:2: is not YAML"),
        (b"verify: true\n\x00\n", "envstage.yaml:2: is not YAML"),
        (b"\xff\xfev\x00\n", "envstage.yaml:1: is not YAML"),
    ],
)
def test_malformed_yaml(tmp_path: pathlib.Path, text: str | bytes, where: str) -> None:
    assert complaint(tmp_path, text).startswith(where)


@pytest.mark.parametrize("glob", ["*H100*", "*H100"])
def test_a_star_that_nobody_quoted(tmp_path: pathlib.Path, glob: str) -> None:
    text = f"environments:\n  main:\n    where: {{hardware.gpu.models: {glob}}}\n"
    message = complaint(tmp_path, text)
    assert message.startswith("envstage.yaml:3: is not YAML")
    assert 'Quote a text that begins with a star: "*H100*"' in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("view: {}\n", "envstage.yaml:1: view: `view` is not a setting. Did you mean `views`"),
        ("qqq: 1\n", "Known keys: columns, container, environments, guard, timeout_s, tools"),
        (
            "verify: true\nviews:\n  train:\n    includes: []\n",
            "envstage.yaml:4: views.train.includes: `includes` is not a setting. "
            "Did you mean `include`",
        ),
        ("environments: {main: {pyhton: auto}}\n", "Did you mean `python`"),
        ("variables: {wacth: [A]}\n", "variables.wacth: `wacth` is not a setting. Did you mean"),
        ("container: {digest: a}\n", "container.digest: `digest` is not a setting"),
        ("<<: {verify: true}\n", "`<<` is not a setting"),
        ("environments: {main: {level: hardwear}}\n", "Did you mean `hardware`"),
        ("environments: {main: {level: all}}\n", "`all` is none of software, platform, hardware"),
        ("views: {t: {tolerance: {packages.numpy: minor}}}\n", "`minor` is none of exact"),
    ],
)
def test_an_unknown_word(tmp_path: pathlib.Path, text: str, expected: str) -> None:
    assert expected in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("verify: true\nverify: false\n", "envstage.yaml:2: verify: written twice"),
        ("views:\n  a:\n  b:\n  a:\n", "envstage.yaml:4: views.a: written twice"),
        ("views: {a: {tolerance: {x: major, x: exact}}}\n", "views.a.tolerance.x: written twice"),
    ],
)
def test_a_key_written_twice(tmp_path: pathlib.Path, text: str, where: str) -> None:
    assert where in complaint(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1, 2]\n", "envstage.yaml:1: a mapping is expected here"),
        ("just words\n", "envstage.yaml:1: a mapping is expected here"),
        ("views: [train]\n", "envstage.yaml:1: views: a mapping is expected here"),
        ("views: {train: wide}\n", "views.train: a mapping is expected here"),
        ("views: {train: {tolerance: [a]}}\n", "views.train.tolerance: a mapping is expected"),
        ("environments: main\n", "environments: a mapping is expected here"),
        ("environments: {main: {where: linux}}\n", "where: a mapping is expected here"),
        ("environments: {main: {where: {system.os: [a]}}}\n", "system.os: a text is expected"),
        ("environments: {main: {python: [python]}}\n", "python: a text is expected here"),
        ("environments: {main: {level: {}}}\n", "level: a text is expected here"),
        ("columns: python.version\n", "columns: a list is expected here. Write it as [one, two]"),
        ("variables: [A]\n", "variables: a mapping is expected here"),
        ("variables: {watch: A}\n", "variables.watch: a list is expected here"),
        ("tools: [[a]]\n", "tools.0: a text is expected here"),
        ("tools: [a, ~]\n", "tools.1: a text is expected here"),
        ("tools: ['']\n", "tools.0: a text of printable characters is expected here"),
        ('tools: ["a\\e[2J"]\n', "tools.0: a text of printable characters is expected here"),
        ('environments: {main: {python: "a\\0b"}}\n', "a text of printable characters"),
        ("container: {image: [a]}\n", "container.image: a text is expected here"),
        ("verify: yes\n", "verify: `true` or `false` is expected here"),
        ("verify: 1\n", "verify: `true` or `false` is expected here"),
        ("timeout_s: 0\n", "timeout_s: a whole number from 1 to 3600 is expected here"),
        ("timeout_s: 3601\n", "a whole number from 1 to 3600"),
        ("timeout_s: 1.5\n", "a whole number from 1 to 3600"),
        ("timeout_s: -1\n", "a whole number from 1 to 3600"),
        ("timeout_s: [1]\n", "a whole number from 1 to 3600"),
        ("? [a]\n: b\n", "a text is expected here"),
        ("~: b\n", "a text is expected here"),
    ],
)
def test_a_wrong_type(tmp_path: pathlib.Path, text: str, expected: str) -> None:
    assert expected in complaint(tmp_path, text)


def test_too_many_columns(tmp_path: pathlib.Path) -> None:
    names = [f"packages.p{index}.version" for index in range(COLUMNS_AT_MOST + 1)]
    most = ", ".join(names[:-1])
    assert len(load(tmp_path, f"columns: [{most}]\n").columns) == COLUMNS_AT_MOST
    message = complaint(tmp_path, f"\ncolumns: [{most}, {names[-1]}]\n")
    assert message.startswith(f"envstage.yaml:2: columns: {COLUMNS_AT_MOST + 1} columns, at most")


# Environments and views


def test_a_view_of_an_environment_that_is_not_there(tmp_path: pathlib.Path) -> None:
    text = "environments: {main: , gpu-big: }\nviews:\n  train: {environment: gpu-bug}\n"
    message = complaint(tmp_path, text)
    assert message == (
        "envstage.yaml:3: views.train: there is no environment `gpu-bug`. Did you mean `gpu-big`?"
    )
    message = complaint(tmp_path, "environments: {gpu: }\nviews: {train: }\n")
    assert "there is no environment `main`. Environments: gpu" in message


def test_a_view_above_its_environments_level(tmp_path: pathlib.Path) -> None:
    text = "views:\n  train:\n    level: hardware\n"
    message = complaint(tmp_path, text)
    assert message.startswith(
        "envstage.yaml:2: views.train: level hardware is above its environment's level, platform"
    )
    assert "Raise the level of the environment `main`" in message
    # The order of the keys in the file does not matter.
    load(tmp_path, text + "environments: {main: {level: hardware}}\n")


@pytest.mark.parametrize("name", ["a", "train-2", "GPU_big", "v1.5", "0", "a" * 100])
def test_a_name_that_can_be_a_file(tmp_path: pathlib.Path, name: str) -> None:
    config = load(tmp_path, f"environments: {{main: , '{name}': }}\nviews: {{'{name}': }}\n")
    assert config.view(name).name == config.environment(name).name == name


@pytest.mark.parametrize(
    "name",
    [".", "..", ".hidden", "a/b", "a\\\\b", "a b", "-x", "a.", "{x}", "a:b", "*", "é", "a" * 101],
)
def test_a_name_that_cannot(tmp_path: pathlib.Path, name: str) -> None:
    assert "cannot be used as a name" in complaint(tmp_path, f'views: {{"{name}": }}\n')
    assert "cannot be used as a name" in complaint(tmp_path, f'environments: {{"{name}": }}\n')


@pytest.mark.parametrize("name", ["views", "facets", "summary.json", "Reproduce.md", "VIEWS"])
def test_an_environment_named_as_a_file_beside_it(tmp_path: pathlib.Path, name: str) -> None:
    message = complaint(tmp_path, f"environments:\n  main:\n  {name}:\n")
    assert message.startswith(f"envstage.yaml:3: environments.{name}: `{name}` is taken")
    load(tmp_path, f"views: {{{name}: }}\n")


@pytest.mark.parametrize("section", ["views", "environments"])
def test_two_names_that_are_one_file_on_some_systems(tmp_path: pathlib.Path, section: str) -> None:
    message = complaint(tmp_path, f"{section}:\n  main:\n  Main:\n")
    assert f"envstage.yaml:3: {section}.Main: differs from `main` in capitals only" in message


def test_asking_for_what_is_not_there(tmp_path: pathlib.Path) -> None:
    config = load(tmp_path, "views: {train: , evaluate: }\n")
    with pytest.raises(EnvstageError, match=r"no view `trian` \(there: train, evaluate\)") as view:
        config.view("trian")
    assert str(view.value).endswith("Did you mean `train`?")
    with pytest.raises(EnvstageError, match="no environment `gpu`"):
        config.environment("gpu")


# Hostile files


def test_a_yaml_bomb(tmp_path: pathlib.Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for index in range(1, 12):
        aliases = ", ".join([f"*a{index - 1}"] * 10)
        lines.append(f"a{index}: &a{index} [{aliases}]")
    assert "expands without measure" in complaint(tmp_path, "\n".join(lines))
    section = "envstage:\n  " + "\n  ".join(lines)
    (tmp_path / "envstage.yaml").unlink()
    assert "expands without measure" in complaint(tmp_path, section, "params.yaml")


def test_an_alias_of_itself(tmp_path: pathlib.Path) -> None:
    assert "nested too deeply" in complaint(tmp_path, "views: &v {a: *v}\n")


@pytest.mark.parametrize("name", ["envstage.yaml", "params.yaml"])
@pytest.mark.parametrize("depth", [LIMIT_DEPTH + 1, 500, 400_000])
@pytest.mark.parametrize("opening", ["[", "{", "- "])
def test_deep_nesting(tmp_path: pathlib.Path, depth: int, opening: str, name: str) -> None:
    # 400,000 levels crashed the interpreter: PyYAML's composer recurses on the C stack.
    closing = {"[": "]", "{": "}", "- ": ""}[opening]
    text = f"envstage:\n  {opening * depth}x{closing * depth}\n"
    assert "nested too deeply" in complaint(tmp_path, text, name)


def test_nesting_within_the_limit_is_judged_by_its_meaning(tmp_path: pathlib.Path) -> None:
    depth = LIMIT_DEPTH - 2
    assert "is not a setting" in complaint(tmp_path, f"x: {'[' * depth}{']' * depth}\n")


def test_a_file_too_large(tmp_path: pathlib.Path) -> None:
    text = "#" * LIMIT_BYTES + "\n"
    assert complaint(tmp_path, text).startswith("envstage.yaml: larger than 1 MiB")


def test_a_file_that_cannot_be_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "envstage.yaml").mkdir()
    with pytest.raises(EnvstageError, match=r"envstage\.yaml: cannot be read: "):
        configuration.load(str(tmp_path))
    (tmp_path / "envstage.yaml").rmdir()
    (tmp_path / "params.yaml").mkdir()
    assert configuration.load(str(tmp_path)) == Config()


def test_tags_construct_nothing(tmp_path: pathlib.Path) -> None:
    text = "tools: [!!python/object/apply:os.system [touch hacked]]\n"
    assert "tools.0: a text is expected here" in complaint(tmp_path, text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("envstage:\n -[]{}&*a,'\"#|>!\t0"), max_size=60) | st.text())
def test_any_text_is_read_or_complained_about(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    folder = tmp_path_factory.mktemp("any", numbered=True)
    try:
        (folder / "envstage.yaml").write_text(text, encoding="utf-8", newline="")
    except UnicodeEncodeError:
        return
    try:
        configuration.load(str(folder))
    except EnvstageError as error:
        assert "\n" not in str(error)
    finally:
        shutil.rmtree(folder)
