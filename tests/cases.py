# SPDX-License-Identifier: BSD-3-Clause
"""cases.py - functions that hold or raise, played in turn; what tests of the program share."""
import subprocess


def play(cases):
    """Returns: an exit code."""
    failed = 0
    for case in cases:
        try:
            case()
            print("ok", case.__name__, flush=True)
        except (AssertionError, KeyError, ValueError, OSError,
                subprocess.SubprocessError) as error:
            failed += 1
            print(f"{type(error).__name__}: {error}\nFAILED {case.__name__}", flush=True)
    return 1 if failed else 0
