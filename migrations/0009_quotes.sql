-- Prices that were promised: for ten minutes a buyer pays no more than this for a package.
--
-- The signed token is what a quote is; the row finds it by its id, and is swept a day after the
-- quote has run out. Whether a quote was used is for purchases to say (`purchases_quote_once`). The
-- version is one of `listing_versions`, which are never taken away. (No foreign key to them, nor to
-- packages: the row of a popular listing would be written for each quote.)
create table quotes (
    id              uuid        primary key,
    buyer_id        uuid        not null references users,
    package_id      uuid        not null,
    listing_version bigint      not null,
    price_minor     bigint      not null,
    currency        text        not null,
    package_sha256  bytea       not null,
    w_matrix_sha256 bytea       not null,
    token           text        not null,
    expires_at      timestamptz not null,
    created_at      timestamptz not null default now(),
    constraint quotes_price_range check (price_minor between 0 and 100000000),
    constraint quotes_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint quotes_sha256_size check (octet_length(package_sha256) = 32 and octet_length(w_matrix_sha256) = 32),
    constraint quotes_token_length check (length(token) between 1 and 8192)
);
create index quotes_buyer_id on quotes (buyer_id, created_at);
create index quotes_expires_at on quotes (expires_at);

revoke update, truncate on quotes from awareness_app;
