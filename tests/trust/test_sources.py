"""The sources: nothing that is read is run, and YAML makes no objects."""

import ast
from pathlib import Path

import envstage

SOURCES = Path(envstage.__file__).parent
# Their calls run what they read, or make objects of it.
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.unsafe_load"),
    *("yaml.full_load", "yaml.unsafe_load_all", "pickle.load", "pickle.loads", "marshal.load"),
    *("marshal.loads", "shelve.open", "torch.load", "numpy.load", "jsonpickle.decode"),
}
# The observer loads its own neighbours by their path, inside the observed program.
ALLOWED = {("observer/recorder.py", "exec"), ("observer/hook/sitecustomize.py", "exec")}


def test_nothing_that_is_read_is_run() -> None:
    found = set()
    for path in SOURCES.rglob("*.py"):
        tree = ast.parse(path.read_text())
        name = path.relative_to(SOURCES).as_posix()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in FORBIDDEN:
                    found.add((name, called))
                assert not any(
                    key.arg == "shell" and ast.unparse(key.value) != "False"
                    for key in node.keywords
                ), name
            elif isinstance(node, ast.Import | ast.ImportFrom):
                modules = {each.name for each in node.names} | {getattr(node, "module", "")}
                assert not modules & {"pickle", "marshal", "shelve", "dill", "cloudpickle"}, name
    assert found == ALLOWED


def test_yaml_is_loaded_by_the_safe_loader_in_one_place() -> None:
    calls = {
        (path.relative_to(SOURCES).as_posix(), ast.unparse(node))
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("yaml.load", "yaml.compose")
    }
    assert {file for file, _ in calls} == {"yaml_node.py"}
    assert all(text.endswith("Loader=loader)") for _, text in calls)
