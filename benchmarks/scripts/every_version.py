"""All installed versions are listed: every one of them is used."""
# expected: wide

from importlib.metadata import distributions

print(sorted(f"{each.metadata['Name']}=={each.version}" for each in distributions())[:2])
