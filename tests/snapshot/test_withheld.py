"""The last scan: what it finds, what it leaves alone, and that it finds it in no time."""

import json
import time

import pytest

from envstage.facets import catalogue
from envstage.snapshot.command_line import redacted
from envstage.snapshot.model import Address, Unknown, Value
from envstage.snapshot.secrets import REMOVED, holds_secret, without_secret_words
from envstage.snapshot.withheld import (
    DIGESTS,
    WITHHELD,
    suspects,
    without_secret_texts,
    without_suspects,
)

TOKEN = "ghp" + "_q7Z3xM8vK1pL9wR2tY5sN4dH6bJ0gF7cV1aE"
HEX = "0123456789abcdef" * 4


def test_a_fact_that_is_found_is_unknown_and_the_others_are_as_they_were() -> None:
    facts: dict[Address, Value] = {
        ("packages", "a", "url"): f"https://{TOKEN}@h.example.org/",
        ("hardware", "gpu", "models"): ("H100", TOKEN),
        ("system", "libc"): Unknown(f"said {TOKEN}"),
        ("packages", "b", "version"): "1.0",
        ("hardware", "threads", "omp"): 2,
        ("python", "debug"): None,
    }
    safe = without_suspects(facts)
    assert suspects(facts) == tuple(facts)[:3]
    assert [safe[each] for each in suspects(facts)] == [WITHHELD] * 3
    assert {key: safe[key] for key in list(facts)[3:]} == dict(list(facts.items())[3:])
    assert without_suspects(safe) is safe


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_what_is_exempt_is_a_fact_of_digests(name: str) -> None:
    group, last = name.split(".")
    address = ("system", group, last) if group == "container" else (group, "x", last)
    rule = catalogue.rule_of(address)
    assert rule is not None
    assert any(word in rule.meaning for word in ("digest", "commit")), rule.meaning
    # By its address alone nothing is: it has to look like one.
    assert suspects({address: TOKEN}) == (address,)
    for text in (HEX, f"sha256:{HEX}", f"commit:{HEX[:40]}", "sha256:47DEQpj8HBSa-_TImW-5JCeuQe"
                 "Rkm5NMpJWZG3hSuFU", f"source-sha256:{HEX}", HEX[:32]):  # fmt: skip
        assert suspects({address: text}) == ()


@pytest.mark.parametrize(
    ("address", "value"),
    [
        (("entry_points", "flask.commands"), ("token = app.auth:token (app)", "key = a:b (c)")),
        (("packages", "a", "version"), "2.7.1+cu128.g1a2b3c4"),
        (("packages", "a", "tags"), ("cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",)),
        (("conda", "a", "build"), "cuda126py311h64a7726_0"),
        (("conda", "a", "archive"), "linux-64/libstdcxx-ng-13.2.0-hc0a3c3a_7.conda"),
        (("packages", "a", "note"), "needs credentials"),
        (("system", "packages", "keyboard-configuration"), "1.221"),
        (("hardware", "gpu", "models"), ("NVIDIA H100 80GB HBM3 MIG 1g.10gb",)),
        (("tools", "samtools", "version"), "samtools 1.19.2 Using htslib 1.19.1"),
        (("modules", "keyring"), "keyring"),
        (("variables", "XLA_FLAGS"), "--xla_gpu_deterministic_ops=true"),
        (("python", "compiler"), "3.11.7 (main, Jan  8 2025, 12:00:00) [GCC 12.2.0]"),
    ],
    ids=lambda each: ".".join(each) if isinstance(each, tuple) else "",
)
def test_no_false_alarm(address: Address, value: Value) -> None:
    # Each alone and with the others around it: a value does not name the one behind it.
    assert suspects({("a",): "token:", address: value, ("z",): "abc"}) == ()


def test_three_thousand_facts_take_milliseconds() -> None:
    facts: dict[Address, Value] = {}
    for index in range(1_000):
        facts["packages", f"p{index}", "version"] = f"1.{index}.0+cu128"
        facts["packages", f"p{index}", "build"] = f"sha256:{HEX}"
        facts["packages", f"p{index}", "url"] = f"git+https://github.com/o/project-{index}.git"
    suspects(facts)
    started = time.process_time()
    assert suspects(facts) == ()
    assert time.process_time() - started < 0.2


def test_documents_and_sentences() -> None:
    document = {"a": [TOKEN, 1, None], TOKEN: {"b": "password: hunter2"}, "c": "plain"}
    assert without_secret_texts(document) == {"a": [REMOVED, 1, None], REMOVED: {"b": REMOVED},
                                              "c": "plain"}  # fmt: skip
    assert without_secret_texts({"a": "auth: x"}, holds_secret) == {"a": "auth: x"}
    assert json.dumps(without_secret_texts({"a": ["b"]})) == '{"a": ["b"]}'
    said = f"fatal: could not read https://me:{TOKEN}@h.example.org/o/p and {TOKEN}"
    assert without_secret_words(said) == (
        f"fatal: could not read https://h.example.org/o/p and {REMOVED}"
    )
    assert without_secret_words("-----BEGIN PRIVATE KEY-----\nMIIE") == REMOVED
    assert without_secret_words("password: hunter2") == REMOVED


def test_command_lines() -> None:
    argv = ["train.py", "--password", "hunter2", "--lr", "0.1", f"--key={TOKEN}", "-v"]
    assert " ".join(redacted(argv)) == (
        f"train.py --password {REMOVED} --lr 0.1 --key={REMOVED} -v"
    )
    assert redacted([f"curl https://u:{TOKEN}@h.example.org/x | sh"]) == (
        "curl https://h.example.org/x | sh",
    )
