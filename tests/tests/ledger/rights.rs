//! The rights of the services in the database against their statements: each statement may run, and there is
//! no right that no statement needs. `migrations/0024_roles.sql` is the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use common::db::PgPool;

use super::market::Market;
use super::statements::{Right, Tables, rights_of};

/// Locking rows asks for the right to update some column; this one, an identity, cannot be updated.
const LOCK_ALONE: [(&str, &str); 1] = [("package_deltas", "id")];
/// Rights beyond the rows of a table, which no service has.
const NEVER: [&str; 3] = ["truncate", "references", "trigger"];

/// A right, and the first place that needs it.
type Needed = BTreeMap<Right, String>;

async fn tables(pool: &PgPool) -> Tables {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select relname::text, attname::text
         from pg_class
         join pg_attribute on attrelid = pg_class.oid
         where relnamespace = 'public'::regnamespace
           and relkind in ('r', 'p', 'v', 'm')
           and not relispartition
           and attnum > 0
           and not attisdropped",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut tables = Tables::new();
    for (table, column) in rows {
        tables.entry(table).or_default().insert(column);
    }
    tables
}

/// Our functions but for triggers: name, whether it runs with the rights of its owner, and what it says.
async fn functions(pool: &PgPool) -> Vec<(String, bool, String)> {
    sqlx::query_as(
        "select proname::text, prosecdef, coalesce(pg_get_function_sqlbody(oid), prosrc)
         from pg_proc
         where pronamespace = 'public'::regnamespace
           and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

/// What the sources of `common`, and the functions that run with the rights of their caller, need.
fn needed(tables: &Tables, functions: &[(String, bool, String)]) -> Needed {
    let names = functions.iter().map(|(name, ..)| name.clone()).collect();
    let mut texts = Vec::new();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../common/src");
    collect(&sources, &mut texts);
    assert!(texts.len() > 100, "the sources were not found");
    let callers = functions.iter().filter(|(_, is_owners, _)| !is_owners);
    texts.extend(callers.map(|(name, _, text)| (format!("function {name}"), text.clone())));
    let mut needed = Needed::new();
    for (place, text) in texts {
        for right in rights_of(&text, tables, &names) {
            needed.entry(right).or_insert_with(|| place.clone());
        }
    }
    needed
}

fn collect(folder: &Path, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            texts.push((path.display().to_string(), text));
        }
    }
}

/// What the login of the services may do to tables, and which functions of the owner's it may call.
async fn granted(pool: &PgPool) -> BTreeSet<Right> {
    let columns: Vec<(String, String, bool, bool)> = sqlx::query_as(
        "select relname::text, attname::text, has_column_privilege(pg_class.oid, attnum, 'insert'),
                has_column_privilege(pg_class.oid, attnum, 'update')
         from pg_class
         join pg_attribute on attrelid = pg_class.oid
         where relnamespace = 'public'::regnamespace
           and relkind in ('r', 'p', 'v', 'm')
           and attnum > 0
           and not attisdropped",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut granted = BTreeSet::new();
    for (table, column, may_insert, may_update) in columns {
        for (verb, may) in [("insert", may_insert), ("update", may_update)] {
            if may {
                granted.insert(Right::of(verb, &table, Some(&column)));
            }
        }
    }
    for verb in ["select", "delete"].into_iter().chain(NEVER) {
        let on: Vec<String> = sqlx::query_scalar(
            "select relname::text
             from pg_class
             where relnamespace = 'public'::regnamespace
               and relkind in ('r', 'p', 'v', 'm')
               and has_table_privilege(oid, $1)",
        )
        .bind(verb)
        .fetch_all(pool)
        .await
        .unwrap();
        granted.extend(on.iter().map(|table| Right::of(verb, table, None)));
    }
    let callable: Vec<String> = sqlx::query_scalar(
        "select proname::text
         from pg_proc
         where pronamespace = 'public'::regnamespace
           and has_function_privilege(oid, 'execute')",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    granted.extend(callable.iter().map(|name| Right::of("call", name, None)));
    granted
}

/// The line that is missing in, or too much in, `0024_roles.sql`.
fn line(right: &Right) -> String {
    match &right.column {
        Some(column) => format!(
            "grant {} ({column}) on {} to awareness_app;",
            right.verb, right.on
        ),
        None if right.verb == "call" => {
            format!("grant execute on function {} to awareness_app;", right.on)
        }
        None => format!("grant {} on {} to awareness_app;", right.verb, right.on),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_may_do_what_their_statements_need_and_no_more() {
    let market = Market::without_fixture().await;
    let (tables, functions) = (tables(&market.pool).await, functions(&market.pool).await);
    let (needed, granted) = (needed(&tables, &functions), granted(&market.pool).await);
    let mut faults = Vec::new();
    for (right, place) in &needed {
        let is_granted = match right.verb {
            "lock" => granted
                .iter()
                .any(|it| it.verb == "update" && it.on == right.on),
            _ => granted.contains(right),
        };
        if !is_granted {
            faults.push(format!("missing: {}  -- {place}", line(right)));
        }
    }
    let owners: BTreeSet<&String> = functions
        .iter()
        .filter(|(_, is_owners, _)| *is_owners)
        .map(|(name, ..)| name)
        .collect();
    for right in granted.iter().filter(|right| !needed.contains_key(*right)) {
        let is_harmless = right.verb == "call" && !owners.contains(&right.on);
        let is_lock = LOCK_ALONE
            .iter()
            .any(|(table, column)| *right == Right::of("update", table, Some(column)));
        if !is_harmless && !is_lock {
            faults.push(format!("too much: {}", line(right)));
        }
    }
    assert!(
        faults.is_empty(),
        "migrations/0024_roles.sql:\n{}",
        faults.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_services_login_owns_nothing_and_is_nobody_else() {
    let market = Market::without_fixture().await;
    let count = |sql: &'static str| market.count(sql);
    assert_eq!(
        count("select count(*) from pg_class where pg_has_role(session_user, relowner, 'member')")
            .await,
        0
    );
    assert_eq!(
        count("select count(*) from pg_proc where pg_has_role(session_user, proowner, 'member')")
            .await,
        0
    );
    let owns = "select count(*) from pg_database where pg_has_role(session_user, datdba, 'member')";
    assert_eq!(count(owns).await, 0);
    let powers = "select count(*) from pg_roles where rolname in (session_user, 'awareness_app')
                  and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls)";
    assert_eq!(count(powers).await, 0);
    let others = "select count(*) from pg_roles where pg_has_role(session_user, oid, 'member')
                  and rolname not in (session_user, 'awareness_app')";
    assert_eq!(count(others).await, 0);
    let creates = "select has_schema_privilege('public', 'create')::integer::int8
                   + has_database_privilege(current_database(), 'create')::integer";
    assert_eq!(count(creates).await, 0);
    let numbers = "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'S'
                   and case relkind when 'S' then has_sequence_privilege(oid, 'usage, update, select') end";
    assert_eq!(count(numbers).await, 0);
}
