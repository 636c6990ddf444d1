"""Prints N ports of the loopback interface that nobody listens on, one a line: `free_ports.py N`.

They lie below those that the system hands out by itself, so that no connection takes one before its server is up.
"""

import random
import socket
import sys

_FROM, _TO = 12000, 32000


def free_ports(count: int) -> list[int]:
    """`count` different ports; all are held while the others are looked for."""
    held: list[socket.socket] = []
    for port in random.sample(range(_FROM, _TO), _TO - _FROM):
        if len(held) == count:
            break
        one = socket.socket()
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            one.close()
        else:
            held.append(one)
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])), sep="\n")
