-- Reports of many runs; the complete report stays in `report`.
CREATE TABLE IF NOT EXISTS ssh_reports
(
    report String CODEC(ZSTD(3)),
    started_at DateTime64(3, 'UTC') MATERIALIZED fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(report, 'started_at_unix') * 1000)),
    target LowCardinality(String) MATERIALIZED JSONExtractString(report, 'target', 'input'),
    verdict Enum8('healthy' = 0, 'degraded' = 1, 'broken' = 2, 'inconclusive' = 3) MATERIALIZED JSONExtractString(report, 'verdict'),
    died_at LowCardinality(String) MATERIALIZED JSONExtractString(report, 'died_at'),
    code LowCardinality(String) MATERIALIZED JSONExtractString(report, 'diagnoses', 1, 'code'),
    duration_ms Float64 MATERIALIZED JSONExtractFloat(report, 'duration_ms')
)
ENGINE = MergeTree
ORDER BY (target, started_at);

-- ssh-doctor check --targets targets.txt --format json | clickhouse-client --query 'INSERT INTO ssh_reports (report) FORMAT JSONAsString'

-- Targets by root cause in the last day.
SELECT code, count(DISTINCT target) AS targets, groupUniqArray(5)(target) AS examples
FROM ssh_reports WHERE started_at > now() - INTERVAL 1 DAY AND code != '' GROUP BY code ORDER BY targets DESC;
