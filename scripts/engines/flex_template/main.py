"""What the launcher of the Flex Template runs: `fanbeam run` with the template's parameters."""

import sys

from pipeline.cli.program import main
from pipeline.engines.adapters.dataflow_template import command

if __name__ == "__main__":
    sys.exit(main(command(sys.argv[1:])))
