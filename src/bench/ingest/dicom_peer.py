# What pydicom needs to read a folder, remove private tags and replace names, UIDs and dates by VR, and write it. Far fewer rules than
# the profile has. Run by the bench: python3 dicom_peer.py IN OUT
import json
import os
import resource
import sys
import time
import warnings

import pydicom
from pydicom.uid import generate_uid

warnings.simplefilter("ignore")
source, target = sys.argv[1:3]
started = time.perf_counter()


def replace(_, element):
    if element.VR == "PN":
        element.value = "REMOVED"
    elif element.VR == "UI" and element.keyword.endswith("InstanceUID"):
        element.value = generate_uid(entropy_srcs=[str(element.value)])
    elif element.VR == "DA" and element.value:
        element.value = "19000101"


names = os.listdir(source)
for name in names:
    dataset = pydicom.dcmread(os.path.join(source, name))
    dataset.remove_private_tags()
    dataset.walk(replace)
    dataset.save_as(os.path.join(target, name))
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
