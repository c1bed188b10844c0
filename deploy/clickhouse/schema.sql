-- Tables for what sensor keeps (history) and sends (JSON Lines), of any number of sensors.
--
-- The columns are those of docs/fields.md. Totals come from `buckets` and `accounting`, which nothing is missing from; `flows`
-- is what was in the flow table. Rows add up: several rows of one flow, or of one bucket, are sums to be made.

CREATE DATABASE IF NOT EXISTS sensor;

-- One row for each flow and stretch of time.
CREATE TABLE IF NOT EXISTS sensor.flows
(
    sensor           LowCardinality(String),
    start            DateTime64(9, 'UTC') DEFAULT 0 CODEC(DoubleDelta, ZSTD), -- 1970: its packets have no time
    length_ns        Int64 CODEC(ZSTD),
    slot             UInt8,
    interface        LowCardinality(String),
    direction        LowCardinality(String),
    network          LowCardinality(String),
    network_number   Int32,
    src_addr         String CODEC(ZSTD), -- empty where there is no IP
    dst_addr         String CODEC(ZSTD),
    src_port         UInt16,
    dst_port         UInt16,
    transport        LowCardinality(String),
    transport_number UInt16,
    application      LowCardinality(String), -- empty where there is none
    classified_by    LowCardinality(String),
    name             String CODEC(ZSTD),
    name_source      LowCardinality(String),
    packets          UInt64 CODEC(T64, ZSTD),
    bytes            UInt64 CODEC(T64, ZSTD),
    first            Nullable(DateTime64(9, 'UTC')) CODEC(ZSTD),
    last             Nullable(DateTime64(9, 'UTC')) CODEC(ZSTD),
    tcp_flags        UInt8
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (sensor, start, src_addr, dst_addr)
-- So that a file which is inserted twice under one `insert_deduplication_token` counts once.
SETTINGS non_replicated_deduplication_window = 10000;

-- One row for each bucket and class of packets; exact also where the flow table was full.
CREATE TABLE IF NOT EXISTS sensor.buckets
(
    sensor      LowCardinality(String),
    start       DateTime64(9, 'UTC') CODEC(DoubleDelta, ZSTD),
    length_ns   Int64 CODEC(ZSTD),
    direction   LowCardinality(String),
    kind        LowCardinality(String),
    network     LowCardinality(String),
    transport   LowCardinality(String),
    application LowCardinality(String),
    packets     UInt64 CODEC(T64, ZSTD),
    bytes       UInt64 CODEC(T64, ZSTD)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (sensor, start)
SETTINGS non_replicated_deduplication_window = 10000;

-- The terms of the accounting identity: seen = in_flows + overflow + not_ip + malformed + filtered + duplicates.
CREATE TABLE IF NOT EXISTS sensor.accounting
(
    sensor    LowCardinality(String),
    start     DateTime64(9, 'UTC') DEFAULT 0,
    interface LowCardinality(String),
    direction LowCardinality(String),
    term      LowCardinality(String),
    what      LowCardinality(String),
    packets   UInt64,
    bytes     UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (sensor, start, term)
SETTINGS non_replicated_deduplication_window = 10000;

-- Lines of `--jsonl`, one an interval, as a log shipper brings them.
CREATE TABLE IF NOT EXISTS sensor.bucket_lines
(
    hostname          LowCardinality(String),
    backend           LowCardinality(String),
    filter            Nullable(String),
    start             DateTime64(9, 'UTC'),
    interval_seconds  Float64,
    packets           UInt64,
    bytes             UInt64,
    ingress           Tuple(packets UInt64, bytes UInt64),
    egress            Tuple(packets UInt64, bytes UInt64),
    unknown_direction Tuple(packets UInt64, bytes UInt64),
    transport         Map(LowCardinality(String), Tuple(packets UInt64, bytes UInt64)),
    application       Map(LowCardinality(String), Tuple(packets UInt64, bytes UInt64))
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(start)
ORDER BY (hostname, start)
SETTINGS non_replicated_deduplication_window = 10000;

-- Bandwidth and protocols by the minute, for dashboards over months.
CREATE TABLE IF NOT EXISTS sensor.protocols_1m
(
    sensor      LowCardinality(String),
    minute      DateTime('UTC'),
    direction   LowCardinality(String),
    transport   LowCardinality(String),
    application LowCardinality(String),
    packets     UInt64,
    bytes       UInt64
)
ENGINE = SummingMergeTree((packets, bytes))
PARTITION BY toYYYYMM(minute)
ORDER BY (sensor, minute, direction, transport, application)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS sensor.protocols_1m_from_buckets TO sensor.protocols_1m AS
SELECT
    sensor,
    toStartOfMinute(toDateTime(start, 'UTC')) AS minute,
    direction,
    transport,
    application,
    sum(packets) AS packets,
    sum(bytes) AS bytes
FROM sensor.buckets
GROUP BY sensor, minute, direction, transport, application;

-- Endpoints by the hour: each packet is sent by one and received by another.
CREATE TABLE IF NOT EXISTS sensor.endpoints_1h
(
    sensor           LowCardinality(String),
    hour             DateTime('UTC'),
    addr             String,
    sent_packets     UInt64,
    sent_bytes       UInt64,
    received_packets UInt64,
    received_bytes   UInt64
)
ENGINE = SummingMergeTree((sent_packets, sent_bytes, received_packets, received_bytes))
PARTITION BY toYYYYMM(hour)
ORDER BY (sensor, hour, addr)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS sensor.endpoints_1h_from_flows TO sensor.endpoints_1h AS
SELECT
    sensor,
    toStartOfHour(toDateTime(start, 'UTC')) AS hour,
    way.1 AS addr,
    sumIf(packets, way.2 = 0) AS sent_packets,
    sumIf(bytes, way.2 = 0) AS sent_bytes,
    sumIf(packets, way.2 = 1) AS received_packets,
    sumIf(bytes, way.2 = 1) AS received_bytes
FROM sensor.flows
ARRAY JOIN [(src_addr, 0), (dst_addr, 1)] AS way
WHERE src_addr != ''
GROUP BY sensor, hour, addr;
