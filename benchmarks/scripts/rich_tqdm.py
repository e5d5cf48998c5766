"""Progress bars and tables for people."""

from rich.console import Console
from rich.table import Table
from tqdm.auto import tqdm

table = Table("a")
for number in tqdm(range(3), disable=True):
    table.add_row(str(number))
Console().print(table)
