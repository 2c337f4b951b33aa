-- Names that a reader takes for one are one: `likeness` is the same for them, and worked out by the services.
-- Names from before have none.
alter table users
    add column likeness text,
    add constraint users_likeness_key unique (likeness);
grant insert (likeness) on users to awareness_app;
