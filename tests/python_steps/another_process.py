"""Call a step in another process, as a worker of a cluster does: all it has is what is pickled."""

import pickle
import subprocess
import sys

CALL = (
    "import pickle, sys\n"
    "step, *arguments = pickle.loads(sys.stdin.buffer.read())\n"
    "sys.stdout.buffer.write(pickle.dumps(step(*arguments)))\n"
)


def called_in_another_process(step, *arguments):
    sent = pickle.dumps((step, *arguments))
    worker = subprocess.run([sys.executable, "-c", CALL], input=sent, capture_output=True)
    assert worker.returncode == 0, worker.stderr.decode()
    return pickle.loads(worker.stdout)
