import sys

for number in range(100_000):
    print("line", number, file=sys.stdout if number % 3 else sys.stderr)
