"""What of a command may be written down."""

import pytest

from envstage.snapshot.command_line import redacted


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["python", "train.py", "--lr", "0.1"], "python train.py --lr 0.1"),
        (["t", "--api-key", "abc", "x"], "t --api-key (removed) x"),
        (["t", "--password=abc"], "t --password=(removed)"),
        (["HF_TOKEN=abc", "t"], "HF_TOKEN=(removed) t"),
        (["t", "hf_abcdefgh12345678"], "t (removed)"),
        (["t", "https://u:p@host/x?token=1"], "t https://host/x"),
        (["DATABASE_URL=postgres://u:p@host/db", "t"], "DATABASE_URL=postgres://host/db t"),
        (["sh", "-c", "A=1 t --token abc -o f && DB_PASSWORD=q u"],
         "sh -c A=1 t --token (removed) -o f && DB_PASSWORD=(removed) u"),
        (["sh", "-c", "t --secret 'a b' --n 3"], "sh -c t --secret (removed) --n 3"),
        (["t", "--max-tokens", "12"], "t --max-tokens 12"),
        (["t", "/data/x/y.csv", "3f9c" * 10], "t /data/x/y.csv " + "3f9c" * 10),
    ],
)  # fmt: skip
def test_secrets_are_removed(argv: list[str], says: str) -> None:
    assert " ".join(redacted(argv)) == says
