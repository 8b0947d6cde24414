# What pydicom and sqlite3 need to read a folder, digest every file and index 40 of its elements in a plain database. Run by the bench:
# python3 image_peer.py FOLDER DATABASE
import hashlib
import json
import os
import resource
import sqlite3
import sys
import time
import warnings
from io import BytesIO

import pydicom

warnings.simplefilter("ignore")
folder, database = sys.argv[1:3]
started = time.perf_counter()
connection = sqlite3.connect(database)
connection.execute("CREATE TABLE image (digest TEXT PRIMARY KEY, %s)" % ", ".join("c%d TEXT" % n for n in range(40)))
names = sorted(os.listdir(folder))
for name in names:
    with open(os.path.join(folder, name), "rb") as file:
        content = file.read()
    dataset = pydicom.dcmread(BytesIO(content), stop_before_pixels=True)
    values = [str(element.value) for element in dataset if not element.tag.is_private][:40]
    values += [None] * (40 - len(values))
    row = [hashlib.sha256(content).hexdigest(), *values]
    connection.execute("INSERT INTO image VALUES (%s)" % ", ".join("?" * 41), row)
connection.commit()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMegabytes": usage.ru_maxrss * 1024 / 1e6,
            "amount": len(names),
        }
    )
)
