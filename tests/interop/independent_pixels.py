"""Stored pixel values and patient names as pydicom and numpy read them; run lengths and deflated frames by this file's own hand.

Reads one JSON pair a line: [file as it is, file with the same pixels uncompressed]. Answers one JSON line each, with the values as
64-bit floats in the named output file.
"""
import json
import sys
import warnings
import zlib

import numpy as np
import pydicom
from pydicom.encaps import generate_pixel_data_frame

warnings.simplefilter("ignore")
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
RLE = "1.2.840.10008.1.2.5"


def unpack_runs(stream):
    start = int.from_bytes(stream[4:8], "little")
    out, at = bytearray(), start
    while at < len(stream):
        control = stream[at]
        if control < 128:
            out += stream[at + 1 : at + 2 + control]
            at += 2 + control
        elif control > 128:
            out += bytes([stream[at + 1]]) * (257 - control)
            at += 2
        else:
            at += 1
    return bytes(out)


def bit_frames(ds, inflate):
    size = ds.Rows * ds.Columns
    frames = generate_pixel_data_frame(ds.PixelData, int(ds.get("NumberOfFrames", 1)))
    bits = [np.unpackbits(np.frombuffer(inflate(frame), np.uint8), bitorder="little")[:size] for frame in frames]
    return np.concatenate(bits)


def stored(ds):
    """Container values to stored values: the bits stored, with their sign (PS3.5 8.1.1)."""
    syntax = ds.file_meta.get("TransferSyntaxUID")
    if ds.BitsAllocated == 1 and syntax == DEFLATED_FRAMES:
        return bit_frames(ds, lambda frame: zlib.decompressobj(-15).decompress(frame))
    if ds.BitsAllocated == 1 and syntax == RLE:
        return bit_frames(ds, unpack_runs)
    return np.asarray(ds.pixel_array)


def masked(values, ds):
    if values.dtype.kind == "f" or ds.BitsAllocated == 1:
        return values
    bits, high = int(ds.BitsStored), int(ds.HighBit)
    plain = (values.astype(np.int64) >> (high + 1 - bits)) & ((1 << bits) - 1)
    if ds.PixelRepresentation == 1:
        plain = np.where(plain >> (bits - 1) == 1, plain - (1 << bits), plain)
    return plain


def answer(source, native, out):
    original = pydicom.dcmread(source, force=True)
    name = str(original.PatientName) if "PatientName" in original else None
    if native is None:
        return {"name": name}
    ds = pydicom.dcmread(native, force=True)
    if "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2" if ds.is_implicit_VR else "1.2.840.10008.1.2.1"
    values = masked(stored(ds), original)
    np.ascontiguousarray(values).astype("<f8").tofile(out)
    return {"name": name, "count": int(values.size)}


for line in sys.stdin:
    try:
        print(json.dumps(answer(*json.loads(line))), flush=True)
    except Exception as error:  # a file that pydicom cannot read either
        print(json.dumps({"failed": type(error).__name__}), flush=True)
