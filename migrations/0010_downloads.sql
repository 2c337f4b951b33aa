-- Each time a buyer was given addresses to download from: written before they are, together with the
-- package's counter (`package_deltas`), and kept. A seller who fetches the own goods is not counted.
--
-- So at any time packages.downloads and the deltas of a package add up to its rows here; the test
-- `downloads_are_never_anonymous_and_each_is_counted_once` holds it. (`package_id` repeats the
-- purchase's; no foreign key, because a popular package's row would be written for each download.)
create table downloads (
    id          bigint      generated always as identity primary key,
    purchase_id uuid        not null references purchases,
    package_id  uuid        not null,
    blob        text        not null,
    at          timestamptz not null default now(),
    constraint downloads_blob_known check (blob in ('package', 'w_matrix', 'both'))
);
create index downloads_purchase_id on downloads (purchase_id, at);
create index downloads_package_id on downloads (package_id, at);
create trigger downloads_append_only before update or delete or truncate on downloads
    for each statement execute function refuse_change();

revoke update, delete, truncate on downloads from awareness_app;
