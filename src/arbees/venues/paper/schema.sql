-- The paper exchange's own book. Money, prices and quantities are integers in millionths, times
-- are nanoseconds UTC. `orders` and `fills` are the published part; the rest lets the exchange
-- start again exactly where it stopped.
CREATE TABLE orders (
    client_order_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    platform TEXT NOT NULL,
    market_id TEXT NOT NULL,
    side TEXT NOT NULL,
    action TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    limit_price INTEGER NOT NULL,
    time_in_force TEXT NOT NULL,
    status TEXT NOT NULL,
    filled_quantity INTEGER NOT NULL,
    created_ns INTEGER NOT NULL,
    updated_ns INTEGER NOT NULL,
    CHECK (filled_quantity BETWEEN 0 AND quantity)
) STRICT;

CREATE TABLE fills (
    trade_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (order_id),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    price INTEGER NOT NULL,
    fee INTEGER NOT NULL CHECK (fee >= 0),
    created_ns INTEGER NOT NULL
) STRICT;

CREATE INDEX fills_by_order ON fills (order_id);

-- What the published columns of an order do not say.
CREATE TABLE order_details (
    client_order_id TEXT PRIMARY KEY REFERENCES orders (client_order_id),
    sequence INTEGER NOT NULL UNIQUE,
    market_key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    expires_ns INTEGER,
    closed TEXT,
    reason TEXT,
    fill_count INTEGER NOT NULL,
    taken_count INTEGER NOT NULL,
    exact_fees INTEGER NOT NULL,
    fees INTEGER NOT NULL
) STRICT;

CREATE INDEX orders_working ON order_details (sequence) WHERE closed IS NULL;

CREATE TABLE markets (
    platform TEXT NOT NULL,
    market_key TEXT NOT NULL,
    yes_id TEXT NOT NULL,
    no_id TEXT,
    tick INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    is_open INTEGER NOT NULL,
    yes_held INTEGER NOT NULL,
    no_held INTEGER NOT NULL,
    result TEXT,
    settled_ns INTEGER,
    PRIMARY KEY (platform, market_key)
) STRICT;

CREATE TABLE settlements (
    platform TEXT NOT NULL,
    market_key TEXT NOT NULL,
    market_id TEXT NOT NULL,
    result TEXT NOT NULL,
    yes_held INTEGER NOT NULL,
    no_held INTEGER NOT NULL,
    payout INTEGER NOT NULL,
    settled_ns INTEGER NOT NULL,
    PRIMARY KEY (platform, market_key)
) STRICT;

CREATE TABLE accounts (
    platform TEXT PRIMARY KEY,
    cash INTEGER NOT NULL
) STRICT;

-- Deposits and withdrawals; the first of each venue is its starting balance.
CREATE TABLE cash_moves (
    sequence INTEGER PRIMARY KEY,
    platform TEXT NOT NULL,
    amount INTEGER NOT NULL,
    created_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
