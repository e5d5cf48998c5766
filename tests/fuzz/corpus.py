"""Inputs that broke parsers elsewhere, and well-formed ones to change from."""

import json
from typing import Final

_DEEP: Final = 100_000


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _nested(levels: int) -> dict[str, object]:
    facts: dict[str, object] = {"version": "1"}
    for _ in range(levels):
        facts = {"a": facts}
    return facts


_HOSTILE_TEXT: Final = (
    "\x1b[2J\x1b]0;owned\x07</script><script>alert(1)</script>\u202e`|[x](javascript:1)\x00\x9b31m"
)
# What each parser may be given, by what is wrong with it.
NASTY: Final[dict[str, bytes]] = {
    "nothing": b"",
    "a byte order mark alone": b"\xef\xbb\xbf",
    "NUL bytes": b"\0" * 64,
    "invalid UTF-8": b"\xff\xfe{\x80\x81: \xc3\x28}",
    "UTF-16": '{"packages": {}}'.encode("utf-16"),
    "a lone surrogate": b'{"packages": {"a": {"version": "\\ud800"}}, "schema": 1, "facts": 1}',
    "deep lists": b"[" * _DEEP,
    "deep objects": b'{"a":' * _DEEP,
    "deep and closed": b'{"packages":' + b"[" * 900 + b"]" * 900 + b"}",
    "deep but allowed": _json(_nested(700)),
    "deep YAML sequences": b"- " * 5_000 + b"x",
    "deep YAML mappings": b"".join(b" " * i + b"a:\n" for i in range(1_500)),
    "deep TOML": b"a = " + b"[" * 50_000,
    "deep TOML tables": b"[" + b"a." * 50_000 + b"a]\n",
    "a billion digits": b'{"packages": {"a": {"version": ' + b"9" * 100_000 + b"}}}",
    "large exponents": b'{"packages": {"a": {"version": 1e999999999}}}',
    "more than 64 bits": b'{"packages": {"a": {"version": 18446744073709551616}}}',
    "negative and large": b'{"packages": {"a": {"version": -9223372036854775809}}}',
    "duplicate keys": b'{"schema": 1, "schema": 2, "facts": {}, "facts": {"a": 1}}',
    "NaN": b'{"packages": {"a": {"version": NaN}}}',
    "names as paths": _json({"../../../../tmp/evil": {"a": "1"}, "packages": {"../x": {}}}),
    "an absolute path": _json({"/tmp/evil": {"a": "1"}}),
    "an empty name": _json({"": {"": {"": ""}}, "packages": {"": {"version": "1"}}}),
    "outcomes of another kind": _json({"packages": {"$unknown": {"version": 1}, "b": []}}),
    "an outcome within": _json({"a": {"$unknown": {"$unknown": "x"}}, "$not_applicable": [1]}),
    "hostile texts": _json(
        {
            "packages": {
                _HOSTILE_TEXT: {"version": _HOSTILE_TEXT},
                "a": {"version": _HOSTILE_TEXT},
            },
            "variables": {_HOSTILE_TEXT: _HOSTILE_TEXT},
            "hardware": {"gpu": {"models": [_HOSTILE_TEXT]}},
            "system": {"container": {"image": _HOSTILE_TEXT}},
            "python": {"version": _HOSTILE_TEXT},
        }
    ),
    "hostile text": _HOSTILE_TEXT.encode(),
    "an alias bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
    ),
    "a merge bomb": b"stages: &a {x1: 1, x2: 2}\n"
    + b"".join(
        b"%c: &%c {<<: [%s], y%d: 1}\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9), i)
        for i in range(9)
    ),
    "an alias of itself": b"stages: &a {train: *a}\n",
    "a merge of itself": b"stages: &a {<<: *a}\n",
    "YAML that makes objects": b"stages: !!python/object/apply:os.system ['touch /tmp/evil']\n",
    "two documents": b"--- a\n--- b\n",
    "stages of another kind": b"stages: {a: [1], b: {deps: {x: 1}, do: [1]}, 3: {do: {deps: 4}}}\n",
    "deps of another kind": b"stages: {a: {deps: 5}, b: {deps: [[1], {}, null]}, c: {do: 1}}\n",
    "a lock of another kind": b"stages: {train: {deps: 7}, 'train@a': {deps: [{path: [x]}]}}\n",
    "a URL that is none": _json({"url": "https://[broken/x", "vcs_info": {"commit_id": "a" * 40}}),
    "a port that is none": _json({"url": "https://h:99999999999/x", "archive_info": {}}),
    "a NUL in a URL": _json({"url": "file:///a%00b", "dir_info": {"editable": True}}),
    "a NUL in a folder": _json({"url": "file:///a", "dir_info": {}, "subdirectory": "a\0b"}),
    "a URL of another kind": _json({"url": ["x"], "dir_info": []}),
    "no URL": _json({"url": "", "archive_info": {"hashes": {"sha256": 5}, "hash": 7}}),
    "a hash of another kind": _json({"url": "https://h/x", "archive_info": {"hashes": []}}),
    "RECORD with odd sizes": "a.py,sha256=x,²\nb.py,,٣\n\0.py,,3\n".encode(),
    "RECORD with long sizes": b"a.py,sha256=x," + b"9" * 5_000 + b"\n" + b'"a""b.py",,"1"\n"',
    "RECORD that leaves": b"../../../../etc/passwd,sha256=x,1\n/etc/passwd,,2\nC:/x,,3\n",
    "METADATA without end": b"Name: " + b"a" * 300_000,
    "METADATA with escapes": b"Name: \x1b[2J\nVersion: 1\x1b[2J\nRequires-Dist: ;extra==\n",
    "a branch that leaves": b"ref: refs/../../../../../../../../etc/hostname\n",
    "a branch with NUL": b"ref: refs/heads/\0\n",
    "a folder with NUL": b"gitdir: /a\0b\n",
    "a folder of Git's elsewhere": b"gitdir: /etc\n",
    "an event of nobody": b"start\t1\n"
    + b"module\t\\\nend\textra\n\xff\xfe\t\t\t\nspawn\tx\tpython\n",
    "pip.conf without section": b"index-url = x\n  continued\n[global]\n[global\nkey\n = x\n",
    "pip.conf that interpolates": b"[global]\nindex-url = %(x)s ${PATH} %%\n",
    "uv.toml of another kind": b"index = 5\nfind-links = {a = 1}\n[pip]\nindex = [[1]]\n",
}
# Where coverage starts from.
SEEDS: Final[tuple[bytes, ...]] = (
    _json(
        {
            "python": {"version": "3.11.7", "implementation": "cpython"},
            "packages": {
                "numpy": {"version": "1.26.4", "build": "sha256:" + "a" * 64, "tags": ["x-y-z"]},
                "p": {"url": "git+https://h.example.org/o/p", "commit": "b" * 40, "version": "1"},
            },
            "system": {"os": "linux", "libc": {"$unknown": "x"}, "container": {"image": None}},
            "hardware": {"gpu": {"models": ["H100"]}, "threads": {"omp": 2}},
        }
    ),
    _json({"url": "https://h.example.org/o/p", "vcs_info": {"vcs": "git", "commit_id": "a" * 40}}),
    _json({"url": "file:///home/x", "dir_info": {"editable": True}, "subdirectory": "lang/python"}),
    b"environments:\n  main: {python: auto, level: platform, where: {a.b: '*x*'}}\nviews:\n"
    b"  train: {include: [system.kernel], tolerance: {hardware.gpu.driver: major}}\n",
    b"stages:\n  train:\n    cmd: python t.py\n    deps:\n    - x: {hash: md5}\n    outs: [m]\n",
    b"numpy==1.26.4\ntorch @ https://h.example.org/t.whl#sha256="
    + b"a" * 64
    + b"\n-e git+x#egg=y\n",
    b"[global]\nindex-url = https://u:p@h.example.org/simple\nextra-index-url =\n  https://x/y\n",
    b"[[index]]\nurl = 'https://h/x'\ndefault = true\n[pip]\nfind-links = ['x']\n",
    b"start\t1\tid\t12\t1\texec\t\t/bin/python\t/usr\t3.11\tx.py\nmodule\t/x.py\nend\n",
    b"a/b.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n../../bin/x,,\n",
    b"Metadata-Version: 2.1\nName: x\nVersion: 1.0\nRequires-Dist: y; extra == 'z'\n\ntext",
    b'ID=debian\nVERSION_ID="12"\nPackage: a\nStatus: install ok installed\nVersion: 1\n',
    b"ref: refs/heads/main\n",
    _json(
        {"name": "x", "version": "1", "build": "0", "files": ["a"], "url": "https://c/x/linux-64/x"}
    ),
)
