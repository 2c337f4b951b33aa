-- What the cluster's superuser made in this database becomes the migrator's, but for extensions.
do $$
declare
    change text;
begin
    for change in
        select format(
                   'alter %s %s owner to awareness_migrator',
                   case relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end,
                   oid::regclass
               )
        from pg_class
        where relnamespace = 'public'::regnamespace
          and relkind in ('r', 'p', 'v', 'S')
          and relowner = current_user::regrole
          and not exists (
              select
              from pg_depend
              where classid = 'pg_class'::regclass
                and objid = pg_class.oid
                and (deptype = 'e' or (relkind = 'S' and deptype in ('a', 'i')))
          )
        union all
        select format('alter routine %s owner to awareness_migrator', oid::regprocedure)
        from pg_proc
        where pronamespace = 'public'::regnamespace
          and proowner = current_user::regrole
          and not exists (
              select
              from pg_depend
              where classid = 'pg_proc'::regclass
                and objid = pg_proc.oid
                and deptype = 'e'
          )
    loop
        execute change;
    end loop;
end
$$;
