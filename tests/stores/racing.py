"""One of many processes that create the same objects at the same moment."""

import os
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from pipeline.storage.folder import Folder


def race(url: str, rounds: int, start: Barrier, won: "Queue[tuple[int, list[int]]]") -> None:
    """Create object after object, each when all are ready; tell in which rounds it was this process."""
    folder, mine = Folder(url), []
    folder.names()  # connected before the race
    for number in range(rounds):
        start.wait()
        if folder.put_if_absent(f"{number}", f"{os.getpid()}".encode()):
            mine.append(number)
    won.put((os.getpid(), mine))
