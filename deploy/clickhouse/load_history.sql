-- Takes in the files of a history folder, as the server sees it below its user_files: --param_history 'history'.
-- Each statement may be sent again with the same insert_deduplication_token (README.md), and counts once.

INSERT INTO sensor.flows
SELECT
    sensor, ifNull(start, toDateTime64(0, 9, 'UTC')), length_ns, slot, ifNull(interface, ''), direction, network,
    network_number, ifNull(src_addr, ''), ifNull(dst_addr, ''), ifNull(src_port, 0), ifNull(dst_port, 0), transport,
    transport_number, ifNull(application, ''), ifNull(classified_by, ''), ifNull(name, ''), ifNull(name_source, ''),
    packets, bytes, first, last, tcp_flags
FROM file({history:String} || '/flows/*/*/*/*.parquet', Parquet)
SETTINGS use_hive_partitioning = 1;

INSERT INTO sensor.buckets
SELECT
    sensor, start, length_ns, direction, kind, network, transport, ifNull(application, ''), packets, bytes
FROM file({history:String} || '/buckets/*/*/*/*.parquet', Parquet)
SETTINGS use_hive_partitioning = 1;

INSERT INTO sensor.accounting
SELECT
    sensor, ifNull(start, toDateTime64(0, 9, 'UTC')), ifNull(interface, ''), ifNull(direction, ''), term, ifNull(what, ''),
    packets, bytes
FROM file({history:String} || '/accounting/*/*/*/*.parquet', Parquet)
SETTINGS use_hive_partitioning = 1;
