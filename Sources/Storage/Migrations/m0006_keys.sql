-- Keys of those who call from beyond the machine. Of the key itself only the SHA-256 of its 256 random bits is here, from
-- which nobody finds it: what is read out of this table, or a backup of it, opens nothing.

create table api_key (
    id bigint generated always as identity primary key,
    name text not null check (length(name) between 1 and 100),
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null default now(),
    -- Within a minute: a key is checked more often than it is worth writing down.
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz
);
-- A name may be given again once its key is revoked.
create unique index api_key_name on api_key (name) where revoked_at is null;
