#!/usr/bin/python3
"""Runs a command and writes what it used, as JSON, to a file.

  measure.py FILE COMMAND [ARGUMENT...]
"""
import json
import os
import sys
import time

started = time.monotonic()
# The command dies with us, as we do with the test.
pid = os.spawnvp(os.P_NOWAIT, 'setpriv', ['setpriv', '--pdeathsig', 'KILL', '--', *sys.argv[2:]])
_, status, used = os.wait4(pid, 0)
with open(sys.argv[1], 'w') as out:
    json.dump({
        'startedAtSeconds': started,
        'wallSeconds': time.monotonic() - started,
        'cpuSeconds': used.ru_utime + used.ru_stime,
        'peakRssBytes': used.ru_maxrss * 1024,
    }, out)
sys.exit(os.waitstatus_to_exitcode(status) & 0xff)
