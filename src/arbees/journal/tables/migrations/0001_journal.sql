-- What the journal is: one append-only table of records, chained by hash, and beside it the tables
-- that are looked up before a decision. All of the latter follow from the records alone.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    sequence INTEGER NOT NULL PRIMARY KEY,
    time_ns INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    kind TEXT NOT NULL,
    request_id TEXT,
    hash BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE INDEX records_by_request ON records (request_id) WHERE request_id IS NOT NULL;

CREATE TRIGGER records_are_never_changed BEFORE UPDATE ON records
BEGIN
    SELECT RAISE(ABORT, 'records are append-only');
END;

CREATE TRIGGER records_are_never_deleted BEFORE DELETE ON records
BEGIN
    SELECT RAISE(ABORT, 'records are append-only');
END;

CREATE TABLE keys (
    idempotency_key TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    outcome TEXT NOT NULL,
    processed_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
    request_id TEXT NOT NULL PRIMARY KEY,
    idempotency_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signals (
    signal_id TEXT NOT NULL,
    market_key TEXT NOT NULL,
    side TEXT NOT NULL,
    action TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (signal_id, market_key, side, action, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    client_order_id TEXT NOT NULL PRIMARY KEY,
    request_id TEXT NOT NULL,
    platform TEXT NOT NULL,
    venue_order_id TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_by_venue_order ON orders (venue_order_id, platform)
WHERE venue_order_id IS NOT NULL;

CREATE TABLE snapshots (
    sequence INTEGER NOT NULL PRIMARY KEY,
    version TEXT NOT NULL,
    hash BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

CREATE VIEW execution_idempotency (idempotency_key, request_id, status, processed_at) AS
SELECT
    idempotency_key,
    request_id,
    outcome,
    strftime('%Y-%m-%dT%H:%M:%S', processed_ns / 1000000000, 'unixepoch')
    || printf('.%06dZ', processed_ns / 1000 % 1000000)
FROM keys;
