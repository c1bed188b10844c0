"""Loads history and JSON Lines into ClickHouse's engine by what deploy/clickhouse ships, asks the classic questions, and
prints the answers as one JSON object: clickhouse.py DEPLOY HISTORY LINES FROM TO
"""

import json
import os
import sys
import tempfile

from chdb import session

from statements import statements


def main():
    deploy, history, lines, start, end = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        engine = session.Session(os.path.join(folder, "db"))
        parameters = {"history": history, "from": start, "to": end}

        def ask(sql):
            text = str(engine.query(sql, "JSONEachRow", params=parameters))
            return [json.loads(line) for line in text.splitlines() if line]

        for sql in statements(os.path.join(deploy, "schema.sql")):
            ask(sql)
        # Twice, as after a broken connection: a token makes it count once.
        for _ in range(2):
            for number, sql in enumerate(statements(os.path.join(deploy, "load_history.sql"))):
                ask(f"{sql}, insert_deduplication_token = 'first-{number}', max_threads = 1, "
                    "max_insert_threads = 1, deduplicate_blocks_in_dependent_materialized_views = 1")
        load_lines(ask, lines)
        answers = {name: ask(sql) for name, sql in totals().items()}
        answers["queries"] = [ask(sql) for sql in statements(os.path.join(deploy, "queries.sql"))]
        print(json.dumps(answers))


def load_lines(ask, lines):
    with open(lines, encoding="utf-8") as file:
        rows = file.read()
    ask("INSERT INTO sensor.bucket_lines SETTINGS input_format_skip_unknown_fields = 1, "
        f"date_time_input_format = 'best_effort' FORMAT JSONEachRow {rows}")


def totals():
    tables = {
        "flows": "sensor.flows",
        "buckets": "sensor.buckets",
        "minutes": "sensor.protocols_1m",
    }
    sums = {
        name: f"SELECT sensor, sum(packets) AS p, sum(bytes) AS b FROM {table} GROUP BY sensor ORDER BY sensor"
        for name, table in tables.items()
    }
    sums["lines"] = (
        "SELECT hostname AS sensor, sum(packets) AS p, sum(bytes) AS b, sum(ingress.1 + egress.1 + unknown_direction.1) "
        "AS ways, sum(arraySum(arrayMap(x -> x.1, mapValues(application)))) AS applications "
        "FROM sensor.bucket_lines GROUP BY sensor ORDER BY sensor"
    )
    sums["endpoints"] = (
        "SELECT sensor, sum(sent_bytes) AS sent, sum(received_bytes) AS received FROM sensor.endpoints_1h "
        "GROUP BY sensor ORDER BY sensor"
    )
    return sums


main()
