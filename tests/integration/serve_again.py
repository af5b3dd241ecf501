"""A service that is forked anew for each log file named on stdin; what it imports is read once.

Prints the id of each process. It is to be killed from outside, and started again quickly.
"""

import os
import signal
import sys

import fake_service


def main() -> None:
    """Fork a server for each line, until there are no more."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # killed children need nobody to wait for them
    for line in sys.stdin:
        process = os.fork()
        if not process:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(line.strip(), os.O_WRONLY | os.O_CREAT)
            os.dup2(log, 2)
            fake_service.main()
            os._exit(0)
        print(process, flush=True)


if __name__ == "__main__":
    main()
