-- The classic questions. Each is one statement with parameters: clickhouse-client --param_from '2026-11-27 03:00:00' ...

-- Who filled the link: top talkers of all sensors in a span of time.
SELECT
    way.1 AS addr,
    sumIf(bytes, way.2 = 0) AS sent_bytes,
    sumIf(bytes, way.2 = 1) AS received_bytes,
    sent_bytes + received_bytes AS bytes_total
FROM sensor.flows
ARRAY JOIN [(src_addr, 0), (dst_addr, 1)] AS way
WHERE src_addr != '' AND start >= {from:DateTime64(9, 'UTC')} AND start < {to:DateTime64(9, 'UTC')}
GROUP BY addr
ORDER BY bytes_total DESC, addr
LIMIT 10;

-- Who talked to whom: conversations, the smaller address first.
SELECT
    least(src_addr, dst_addr) AS a,
    greatest(src_addr, dst_addr) AS b,
    sum(packets) AS packets_total,
    sum(bytes) AS bytes_total
FROM sensor.flows
WHERE src_addr != '' AND start >= {from:DateTime64(9, 'UTC')} AND start < {to:DateTime64(9, 'UTC')}
GROUP BY a, b
ORDER BY bytes_total DESC, a, b
LIMIT 10;

-- What it was: applications, with the transport where there is none.
SELECT
    if(application = '', transport, application) AS protocol,
    sum(packets) AS packets_total,
    sum(bytes) AS bytes_total,
    round(100 * bytes_total / sum(bytes_total) OVER (), 1) AS bytes_percent
FROM sensor.buckets
WHERE start >= {from:DateTime64(9, 'UTC')} AND start < {to:DateTime64(9, 'UTC')}
GROUP BY protocol
ORDER BY bytes_total DESC, protocol
LIMIT 10;

-- When: bandwidth by sensor and minute.
SELECT
    sensor,
    minute,
    sum(bytes) * 8 / 60 AS bits_per_sec
FROM sensor.protocols_1m
WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
GROUP BY sensor, minute
ORDER BY sensor, minute;

-- How much to buy: the 95th percentile of five-minute means, as carriers bill; minutes without a packet are zeros.
SELECT
    sensor,
    quantileExact(0.95)(bits_per_sec) AS p95_bits_per_sec
FROM
(
    SELECT
        sensor,
        toStartOfFiveMinutes(minute) AS five,
        sum(bytes) * 8 / 300 AS bits_per_sec
    FROM sensor.protocols_1m
    WHERE minute >= {from:DateTime('UTC')} AND minute < {to:DateTime('UTC')}
    GROUP BY sensor, five
    ORDER BY sensor, five WITH FILL
        FROM toStartOfFiveMinutes({from:DateTime('UTC')}) TO {to:DateTime('UTC')} STEP 300
)
WHERE sensor != ''
GROUP BY sensor
ORDER BY sensor;

-- Who is new: addresses of the span that no sensor had seen in the same time before it.
SELECT
    addr,
    sum(sent_bytes + received_bytes) AS bytes_total
FROM sensor.endpoints_1h
WHERE hour >= toStartOfHour({from:DateTime('UTC')}) AND hour < {to:DateTime('UTC')}
    AND addr NOT IN
    (
        SELECT addr
        FROM sensor.endpoints_1h
        WHERE hour >= toStartOfHour({from:DateTime('UTC')}) - ({to:DateTime('UTC')} - {from:DateTime('UTC')})
            AND hour < toStartOfHour({from:DateTime('UTC')})
    )
GROUP BY addr
ORDER BY bytes_total DESC, addr
LIMIT 10;

-- Is anything missing: what each sensor saw, could not tell apart, and lost.
SELECT
    sensor,
    sumIf(packets, term IN ('in_flows', 'overflow', 'not_ip', 'malformed', 'filtered', 'duplicates')) AS seen,
    sumIf(packets, term = 'overflow') AS overflow,
    sumIf(packets, term = 'malformed') AS malformed,
    sumIf(packets, term = 'filtered') AS filtered,
    sumIf(packets, term = 'lost') AS lost
FROM sensor.accounting
GROUP BY sensor
ORDER BY sensor;
