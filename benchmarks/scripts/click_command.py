"""A command line with click."""

import click


@click.command()
@click.option("--n", default=3)
def main(n: int) -> None:
    click.echo(str(n * 2))


main()
