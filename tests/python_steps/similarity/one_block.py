"""Patents in one block, in files that last as long as the process."""

import tempfile

from python_steps.similarity.patents import Patents, store_block

FOLDER = tempfile.TemporaryDirectory(prefix="patents-")


def in_one_block(table):
    return Patents.from_blocks(store_block(table, folder=FOLDER.name, index=False))
