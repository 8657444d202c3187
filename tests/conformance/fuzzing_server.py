"""
Autobahn's fuzzing server on a free port of loopback; for Python 2.7, in the environment of `wstest.py`.

``wstest -m fuzzingserver`` listens on every interface. The argument is its spec; the port is the one line on
stdout, and what Autobahn prints goes to stderr.

"""

import json
import sys

from autobahntestsuite.fuzzing import FuzzingServerFactory
from twisted.internet import reactor


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    factory = FuzzingServerFactory(spec)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port
    # It compares the port with the request's Host.
    factory.setSessionParameters(url="ws://127.0.0.1:" + str(port))
    out.write(str(port) + "\n")
    out.close()
    reactor.run()


main()
