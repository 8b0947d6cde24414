# What Python's own libraries need for the same bytes. Run by the bench: python3 peer.py PEER FILE DATABASE
import csv
import json
import resource
import sqlite3
import sys
import time

peer, file, database = sys.argv[1:4]
started = time.perf_counter()


def load_json_lines():
    """Every line as JSON, nothing kept."""
    amount = 0
    with open(file, "rb") as lines:
        for line in lines:
            json.loads(line)
            amount += len(line)
    return amount / 1e6


def store_observations():
    """Every line as JSON; Observations into a plain SQLite table."""
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE observation (id, subject, system, code, value, unit, effective)")
    amount = 0
    rows = []
    insert = "INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?, ?)"
    with open(file, "rb") as lines:
        for line in lines:
            amount += len(line)
            resource_ = json.loads(line)
            if resource_["resourceType"] != "Observation":
                continue
            coding = resource_["code"]["coding"][0]
            quantity = resource_.get("valueQuantity", {})
            rows.append(
                (
                    resource_["id"],
                    resource_["subject"]["reference"],
                    coding["system"],
                    coding["code"],
                    quantity.get("value"),
                    quantity.get("code"),
                    resource_.get("effectiveDateTime"),
                )
            )
            if len(rows) == 10000:
                connection.executemany(insert, rows)
                rows.clear()
    connection.executemany(insert, rows)
    connection.commit()
    connection.close()
    return amount / 1e6


def store_csv():
    """Every row, untyped, into a plain SQLite table."""
    connection = sqlite3.connect(database)
    with open(file, newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows)
        connection.execute("CREATE TABLE measurement (%s)" % ", ".join(header))
        marks = ", ".join("?" for _ in header)
        count = connection.executemany("INSERT INTO measurement VALUES (%s)" % marks, rows).rowcount
    connection.commit()
    connection.close()
    return count


amount = {"json": load_json_lines, "observations": store_observations, "csv": store_csv}[peer]()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(
    json.dumps(
        {
            "seconds": time.perf_counter() - started,
            "cpuSeconds": usage.ru_utime + usage.ru_stime,
            "peakMegabytes": usage.ru_maxrss * 1024 / 1e6,
            "amount": amount,
        }
    )
)
