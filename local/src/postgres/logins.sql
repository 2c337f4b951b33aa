-- The logins of a private cluster: one that migrates, and one for the services. The migrator makes roles,
-- because migrations do; the services' login can do nothing by itself.
begin;
select pg_advisory_xact_lock(1635085166);
do $$
begin
    if not exists (select from pg_roles where rolname = 'awareness_migrator') then
        create role awareness_migrator;
    end if;
    if not exists (select from pg_roles where rolname = 'awareness_app') then
        create role awareness_app;
    end if;
end
$$;
alter role awareness_migrator login nosuperuser nocreatedb createrole password 'MIGRATOR_PASSWORD';
alter role awareness_app login nosuperuser nocreatedb nocreaterole password 'SERVICES_PASSWORD';
grant awareness_app to awareness_migrator with admin option;
commit;
