"""Writes events.tfevents and red.png with the Python package tensorboard (2.21): python make.py, in this folder."""

import struct
import zlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
png += chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00", 9)) + chunk(b"IEND", b"")
open("red.png", "wb").write(png)

Value, Summary, Image = summary_pb2.Summary.Value, summary_pb2.Summary, summary_pb2.Summary.Image
scalars = [Value(tag="train/objective", simple_value=171.5), Value(tag="R²", simple_value=-0.1)]
image = Image(height=1, width=1, colorspace=3, encoded_image_string=png)
events = [
    event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2"),
    event_pb2.Event(wall_time=1.7e9, step=301, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START)),
    event_pb2.Event(wall_time=1.7e9 + 0.25, step=320, summary=Summary(value=scalars)),
    event_pb2.Event(wall_time=1.7e9 + 0.5, step=1 << 33, summary=Summary(value=[Value(tag="dictionary", image=image)])),
]
with open("events.tfevents", "wb") as out:
    writer = RecordWriter(out)
    for event in events:
        writer.write(event.SerializeToString())
