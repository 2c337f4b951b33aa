-- What each process checks when it starts: that its master key opens what was sealed here (`master_key`, a sealed
-- word), and that it knows the key that signed here last (`signing_key`, its id).
create table canaries (
    name    text  primary key,
    content bytea not null
);
grant select, insert (name, content), update (content) on canaries to awareness_app;
