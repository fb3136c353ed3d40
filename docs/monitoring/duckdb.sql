-- Reports of a fleet: ssh-doctor check --targets targets.txt --format json --brief >results.jsonl
CREATE OR REPLACE VIEW reports AS SELECT * FROM read_json_auto('results.jsonl', format = 'newline_delimited', union_by_name = true);

-- Targets by verdict.
SELECT verdict, count(*) AS targets FROM reports GROUP BY verdict ORDER BY targets DESC;

-- Targets by root cause, the first diagnosis of each report.
SELECT diagnoses[1].code AS code, count(*) AS targets, list(target.input ORDER BY target.input)[1:5] AS examples
FROM reports WHERE len(diagnoses) > 0 GROUP BY code ORDER BY targets DESC;

-- The slowest handshakes.
SELECT target.input AS target, c.duration_ms
FROM (SELECT target, unnest(checks) AS c FROM reports) WHERE c.name = 'handshake' ORDER BY c.duration_ms DESC LIMIT 10;
