"""Run a notebook and print what its cells gave."""

import asyncio
import logging

import nbclient
import nbformat

CELLS = ("import json, sys, os", "print('from the kernel', json.dumps([1]))", "1 / 0", "6 * 7")

logging.disable()
book = nbformat.v4.new_notebook(
    cells=[nbformat.v4.new_code_cell(text, id="cell%d" % n) for n, text in enumerate(CELLS)]
)
client = nbclient.NotebookClient(book, kernel_name="python3", allow_errors=True)
asyncio.run(client.async_execute())
for cell in book.cells:
    print(cell.source, cell.outputs)
