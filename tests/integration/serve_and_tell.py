"""Run the ``triage`` command; when it ends, write the names of all modules it has loaded."""

import atexit
import sys
from pathlib import Path

from triage.cli import app

told = Path(sys.argv.pop(1))
atexit.register(lambda: told.write_text("\n".join(sys.modules), "utf-8"))
app()
