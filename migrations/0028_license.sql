-- *License* is spelt as in every API of this field. Indexes, triggers and grants follow a renamed column by
-- themselves; the bodies of functions are text, and are made again.
alter table uploads rename column licence_mode to license_mode;
alter table uploads rename constraint uploads_licence_mode_known to uploads_license_mode_known;
alter table listings rename column licence_mode to license_mode;
alter table listings rename constraint listings_licence_mode_known to listings_license_mode_known;
alter table listing_versions rename column licence_mode to license_mode;
alter table purchases rename column licence_mode to license_mode;

do $$
declare
    definition text;
begin
    for definition in
        select pg_get_functiondef(oid)
        from pg_proc
        where pronamespace = 'public'::regnamespace
          and prosrc like '%licence%'
    loop
        execute replace(definition, 'licence', 'license');
    end loop;
end
$$;
