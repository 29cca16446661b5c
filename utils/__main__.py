"""`python -m utils COMMAND`: what course.py hands over to."""

import sys

from utils.cli.main import main

sys.exit(main(sys.argv[1:]))
