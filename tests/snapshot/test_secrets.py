import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envstage.snapshot.secrets import is_secret_name, is_secret_value, without_secrets

# Made up, in the shapes that issuers use; put together here so that no scanner takes them for real.
RANDOM = "q7ZxM3vK9pLw2RtY8sNd4HbJ6gFc1VaE"
SECRETS = {
    "GitHub": "ghp_" + RANDOM + "aB3d",
    "GitHub, fine-grained": "github_pat_" + RANDOM,
    "GitLab": "glpat-" + RANDOM[:20],
    "Hugging Face": "hf_" + RANDOM,
    "OpenAI": "sk-" + "proj-" + RANDOM,
    "Stripe": "sk_" + "live_" + RANDOM[:24],
    "AWS key id": "AKIA" + "IOSFODNN7QWERTYU",
    "AWS secret key": "q7ZxM3vK9pLw/RtY8sNd4HbJ6gFc+VaE5kPm2XzQ",
    "Slack": "xoxb-" + "123456789012-" + RANDOM[:24],
    "Google": "AIza" + RANDOM + "x_1",
    "npm": "npm_" + RANDOM + "aB3d",
    "PyPI": "pypi-AgEIcHlwaS5vcmc" + RANDOM,
    "JSON Web Token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    "PEM": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "URL with a password": "postgres://user:pass@db.example.org/train",
    "URL with a token": "https://0123456789abcdef0123456789abcdef01234567@github.com/o/p",
    "token in a path": f"see https://pypi.fury.io/{RANDOM[:20]}/me/simple",
    "assignment": "--db-password=hunter2",
    "bare header": "Bearer abcdefghijk4",
    "header": "Authorization: Bearer abcdefghijkl",
    "signed URL": "https://b.s3.amazonaws.com/k?X-Amz-Signature=abcd",
    "assignment within a value": "see: https://h.org/k?sig=abcd",
    "unmarked": RANDOM,
}
HARMLESS = (
    "2.7.1+cu128",
    "1!2.0.post1.dev3+g1a2b3c4",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
    "GPU-3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "/usr/lib/python3/dist-packages/numpy/core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so",
    "/home/Anna/Projects/ImageNet2012/ResNet50_v1.5/Checkpoints",
    "py311h64a7726_0",
    ":4096:8",
    "--xla_gpu_deterministic_ops=true --xla_gpu_enable_triton_softmax_fusion=false",
    "https://git@github.com/o/p.git@da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "ssh://git@github.com/o/p",
    "https://pypi.org/simple/scikit-learn/",
    "https://${USER}:${TOKEN}@example.org/simple",
    "samtools 1.19.2 Using htslib 1.19.1",
    "glibc.cpu.hwcaps=-AVX2_Usable",
    "float32",
    "no basic authentication/login here",
    "see https://discuss.example.org/t/what-is-new-in-2-0/12345;page=2",
    "https://github.com/o/p/archive/da39a3ee5e6b4b0d3255bfef95601890afd80709.zip",
    "sk-learn",
    "torch==2.7.1 --index https://download.pytorch.org/whl/cu128",
)
SECRET_NAMES = """
HF_TOKEN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY PGPASSWORD MYSQL_PWD apiKey db-password GH_PAT
OAUTH_STATE SENTRY_DSN GOOGLE_CREDENTIALS CI_JOB_JWT API_TOKENS GHTOKEN SESSION_COOKIE sshKey
X-Amz-Signature WANDB_API_KEY OPENAI_APIKEY KEY_PASSPHRASE X_AUTH
"""
HARMLESS_NAMES = """
TOKENIZERS_PARALLELISM MAX_TOKENS max_new_tokens PYTHONHASHSEED PWD OLDPWD KEYBOARD GIT_AUTHOR_NAME
NUM_PASSES MONKEY_PATCH PATH XLA_FLAGS PINNED MKL_CBWR CUBLAS_WORKSPACE_CONFIG SIGMA DESIGN COMPASS
"""


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_seen_wherever_it_stands_in_a_text(kind: str) -> None:
    secret = SECRETS[kind]
    assert is_secret_value(secret)
    assert is_secret_value(f"first {secret} last")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_snapshots_are_made_of_is_no_secret(text: str) -> None:
    assert not is_secret_value(text)


@pytest.mark.parametrize("name", SECRET_NAMES.split())
def test_a_name_says_that_it_holds_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", HARMLESS_NAMES.split())
def test_a_name_that_only_looks_like_it(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.hard_case(3)
@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://bob:ghp_X@github.com/o/p", "https://github.com/o/p"),
        ("https://x.org/a.whl?token=S", "https://x.org/a.whl"),
        (
            f"https://pypi.fury.io/{RANDOM[:20]}/me/-/numpy-1.0-py3-none-any.whl",
            "https://pypi.fury.io/me/-/numpy-1.0-py3-none-any.whl",
        ),
        ("https://pypi.fury.io/x7k2m9q4w8z3v6b1n5c0/me/", "https://pypi.fury.io/me/"),
        ("https://c.org/t/ab-1234-5678/conda/linux-64", "https://c.org/conda/linux-64"),
        ("https://[::1]:8080/simple/", "https://[::1]:8080/simple/"),
        ("git+ssh://git@github.com/o/p.git@v1", "git+ssh://git@github.com/o/p.git@v1"),
        ("ssh://anna@example.org/p", "ssh://example.org/p"),
        ("git@github.com:o/p.git", "git@github.com:o/p.git"),
        ("user:pass@example.org/simple", "example.org/simple"),
        (
            "git+https://t@h.org/p@1.0#subdirectory=lang/python&egg=p&token=S",
            "git+https://h.org/p@1.0#subdirectory=lang/python&egg=p",
        ),
        ("https://u:p@ss@host.org/x", "https://host.org/x"),
        ("https://user:pa/ss@host.org/x", "https://host.org/x"),
        ("https://user:pa#ss@host.org/x", "https://host.org/x"),
        ("https://host.org/%67hp_abcdefgh12/x", "https://host.org/x"),
        ("https://host.org/x;token=abc/y", "https://host.org/x/y"),
        ("https://ho\x1b]0;st.org/\n--index-url", ""),
        ("https://host.org/\x1ba\n --index-url", "https://host.org/a--index-url"),
        ("https://[broken/x", ""),
        ("file:///opt/wheels/a.whl", "file:///opt/wheels/a.whl"),
        ("conda-forge", "conda-forge"),
        ("", ""),
        (
            "https://files.pythonhosted.org/packages/ab/cd/"
            "da39a3ee5e6b4b0d3255bfef95601890afd80709aabbccddeeff00112233/PyYAML-6.0.1-cp311-cp311-"
            "manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "https://files.pythonhosted.org/packages/ab/cd/"
            "da39a3ee5e6b4b0d3255bfef95601890afd80709aabbccddeeff00112233/PyYAML-6.0.1-cp311-cp311-"
            "manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        ),
        (
            "https://download.pytorch.org/whl/cu128/torch-2.7.1%2Bcu128-cp311-cp311-"
            "manylinux_2_28_x86_64.whl",
            "https://download.pytorch.org/whl/cu128/torch-2.7.1%2Bcu128-cp311-cp311-"
            "manylinux_2_28_x86_64.whl",
        ),
    ],
)
def test_a_url_is_rebuilt_from_its_safe_parts(url: str, safe: str) -> None:
    assert without_secrets(url) == safe
    assert without_secrets(safe) == safe


# Without "t": what follows `/t/` is a token of conda's.
WORD = st.text(string.ascii_lowercase.replace("t", ""), min_size=1, max_size=8)
PASSWORD = st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=@:", min_size=1)


@given(user=WORD, password=PASSWORD, path=st.lists(WORD, max_size=4))
def test_no_password_survives(user: str, password: str, path: list[str]) -> None:
    rest = "/".join(path)
    planted = f"PLANTED{password}"
    safe = without_secrets(f"https://{user}:{planted}@host.org/{rest}?key={planted}#{planted}")
    assert safe == f"https://host.org/{rest}"


@given(st.text())
def test_any_text_gets_an_answer_without_control_characters(text: str) -> None:
    assert all(char.isprintable() for char in without_secrets(text))
    is_secret_name(text)
    is_secret_value(text)


@given(st.text("0123456789abcdef", min_size=1, max_size=128))
def test_no_digest_is_a_secret(digest: str) -> None:
    assert not is_secret_value(digest)
    assert without_secrets(f"https://h.org/{digest}.zip") == f"https://h.org/{digest}.zip"


@pytest.mark.parametrize(
    "part",
    ["a", "a-", "a@", "sk-", "eyJaaaaaa-", "a:", "a=", "://", "://a/", "https://h/a", " ", "SG."],
)
def test_long_texts_take_linear_time(part: str) -> None:
    text = part * (200_000 // len(part))
    started = time.process_time()
    is_secret_value(text)
    assert time.process_time() - started < 3
