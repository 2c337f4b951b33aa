-- A session is of the password that it was begun under: it dies when the version is another, whatever
-- ran at the same time as the change.
alter table users
    add column password_version bigint not null default 1,
    add constraint users_password_version_positive check (password_version > 0);
alter table sessions
    add column password_version bigint not null default 1,
    -- The network that it was begun in: an IPv4 address, or the /64 of an IPv6 address.
    add column network text,
    add constraint sessions_network_length check (length(network) <= 45);
create index sessions_network on sessions (user_id, network);

-- Addresses are unverified, and an unverified one reserves nothing: any number of accounts may claim it.
-- One that is verified some day has one account.
alter table users
    drop constraint users_email_key,
    add column email_verified_at timestamptz,
    add constraint users_email_verified_exists check (email_verified_at is null or email is not null);
create index users_email on users (email);
create unique index users_email_verified_key on users (email) where email_verified_at is not null;

-- The salt of all passwords under one address, so that one hash of what is typed fits or does not fit
-- every account that claims the address: a sign-in costs the same whether none or a thousand do.
create table password_salts (
    email text primary key,
    salt  text not null,
    constraint password_salts_email_shape check (email = lower(email) and length(email) between 3 and 254),
    constraint password_salts_salt_shape check (salt ~ '^[A-Za-z0-9+/]{22,64}$')
);
insert into password_salts (email, salt)
select email, split_part(password_hash, '$', 5)
from users
where email is not null
  and password_hash is not null;

-- Devices that signed in to an account before: what strangers guess does not keep them out. The token
-- that a device keeps is kept here as SHA-256.
create table sign_in_devices (
    user_id      uuid        not null references users,
    digest       bytea       not null,
    created_at   timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    primary key (user_id, digest),
    constraint sign_in_devices_digest_size check (octet_length(digest) = 32)
);
create index sign_in_devices_last_used_at on sign_in_devices (last_used_at);

revoke update, delete, truncate on password_salts from awareness_app;
