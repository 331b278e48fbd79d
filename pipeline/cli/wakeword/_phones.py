"""The option that asks the judge of phones."""

import click

phones_option = click.option(
    "--phones",
    default="",
    metavar="WORD",
    help="English: only where the speech scorer's listener hears the phones of this word.",
)
