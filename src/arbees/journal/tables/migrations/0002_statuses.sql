-- The view that the requirements ask for tells how each request stands in the words of its result,
-- as far as the records say: `keys.outcome` only tells whether the key may be used again.

DROP VIEW execution_idempotency;

CREATE VIEW execution_idempotency (idempotency_key, request_id, status, processed_at) AS
WITH fates AS (
    SELECT
        keys.idempotency_key,
        keys.request_id,
        keys.outcome,
        keys.processed_ns,
        (
            SELECT sum(json_extract(CAST(body AS TEXT), '$.quantity'))
            FROM records
            WHERE records.request_id = keys.request_id AND kind = 'OrderFilled'
        ) AS filled,
        (
            SELECT json_extract(CAST(body AS TEXT), '$.request.size')
            FROM records
            WHERE records.request_id = keys.request_id AND kind = 'OrderApproved'
            ORDER BY sequence
            LIMIT 1
        ) AS size,
        (
            SELECT kind
            FROM records
            WHERE
                records.request_id = keys.request_id
                AND kind IN ('OrderAcknowledged', 'OrderUnknown', 'OrderFilled', 'OrderRejected')
            ORDER BY sequence DESC
            LIMIT 1
        ) AS last_kind
    FROM keys
)
SELECT
    idempotency_key,
    request_id,
    CASE
        WHEN outcome = 'denied' THEN 'Rejected'
        WHEN outcome = 'not_sent' THEN 'Failed'
        WHEN outcome = 'open' AND last_kind = 'OrderUnknown' THEN 'Unknown'
        WHEN outcome = 'open' THEN 'Pending'
        WHEN filled >= size THEN 'Filled'
        WHEN filled > 0 THEN 'Partial'
        WHEN last_kind = 'OrderRejected' THEN 'Rejected'
        ELSE 'Cancelled'
    END,
    strftime('%Y-%m-%dT%H:%M:%S', processed_ns / 1000000000, 'unixepoch')
    || printf('.%06dZ', processed_ns / 1000 % 1000000)
FROM fates;
