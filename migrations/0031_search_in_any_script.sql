-- Search reads text as people write it: in any script, case and composition, and alike on every locale. What
-- depends on a locale (classes of letters, upper and lower case) is asked of ICU by name.

-- Compatibility forms, case and what cannot be seen do not count: `ﬁ` is fi, `STRASSE` is straße.
create function case_folded(texts text) returns text language sql immutable parallel safe
    return replace(
        lower(upper(
            normalize(regexp_replace(texts, '[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]', '', 'g'), NFKC)
                collate "und-x-icu"
        )),
        'ς', 'σ'
    );

-- Accents do not count either: `École` is ecole, `ё` is е.
create function folded(texts text) returns text language sql immutable parallel safe
    return normalize(regexp_replace(normalize(case_folded(texts), NFKD), '[\u0300-\u036f]', '', 'g'), NFKC);

-- What stands between words, as the inside of a bracket: letters, digits and marks of all scripts do not.
create function between_words() returns text language sql immutable parallel safe
    return '[:space:][:cntrl:][:punct:]$+<=>^`|~¢-©¬®-±´¶-¸×÷\u2000-\u2bff\U0001f000-\U0001faff';

-- The scripts whose words no space parts (Thai, Lao, Burmese, Khmer, kana, Han), as the inside of a bracket.
create function unspaced_scripts() returns text language sql immutable parallel safe
    return '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf'
        || '\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff';

-- A model's name as it is compared: `GPT-4`, `gpt 4` and `openai/gpt-4` are one, `C`, `C++` and `C#` are not.
-- A name without letters and digits is like no other, not even itself.
create or replace function model_key(name text) returns text language sql immutable parallel safe
    return nullif(
        regexp_replace(
            case_folded(regexp_replace(name, '^.*/', '')) collate "und-x-icu",
            '(?![+#])[' || between_words() || ']', '', 'g'
        ),
        ''
    );

-- The words of a text in their order, `c++` and `c#` among them. `compound` is the same for those that only a hyphen or the like parts
-- (`GPT-3.5`); the characters of a script without spaces (`is_unspaced`) count one by one.
create function words_in(texts text)
    returns table (compound bigint, ordinal bigint, word text, is_unspaced boolean)
    language sql immutable parallel safe
begin atomic
    with pieces as (
        select place, piece[1] as unspaced, piece[2] as word, piece[3] is not null as joins
        from regexp_matches(
            folded(texts) collate "und-x-icu",
            '([' || unspaced_scripts() || ']+)'
                || '|([^' || between_words() || unspaced_scripts() || ']+[+#]*)'
                || '|([-._/:@''’‐‑]+)|.',
            'g'
        ) with ordinality as found (piece, place)
    ), placed as (
        select
            count(*) filter (where word is null and not joins) over before as compound,
            1 + coalesce(
                sum(case when unspaced is null then (word is not null)::integer else length(unspaced) end)
                    over (before rows between unbounded preceding and 1 preceding),
                0
            ) as ordinal,
            coalesce(word, unspaced) as word, word is null as is_unspaced
        from pieces
        window before as (order by place)
    )
    select compound, ordinal, left(word, 100), is_unspaced
    from placed
    where word is not null;
end;

-- Words that only a hyphen or the like parts, and a word and the number that follows it, as one: `gpt4`.
create function compounds_in(texts text) returns table (ordinal bigint, word text)
    language sql immutable parallel safe
begin atomic
    with compounds as (
        select min(ordinal) as ordinal, left(string_agg(rtrim(word, '+#'), '' order by ordinal), 100) as word,
            count(*) as parts
        from words_in(texts)
        where not is_unspaced
        group by compound
    ), followed as (
        select ordinal, word, lead(word) over (order by ordinal) as next
        from compounds
    )
    select ordinal, word
    from compounds
    where parts > 1
    union all
    select ordinal, left(word || next, 100)
    from followed
    where word !~ '[0-9]'
      and next ~ '^[0-9]';
end;

-- The lexemes by which a text is found: its words, their English stems, each two characters of a script
-- without spaces; and its compounds, which may weigh less.
create function text_search(texts text, weight text, compound_weight text) returns tsvector
    language sql immutable parallel safe
begin atomic
    with words as materialized (
        select ordinal, word, is_unspaced
        from words_in(texts)
    ), lexemes as (
        select word as lexeme, ordinal, weight as weighs
        from words
        where not is_unspaced
        union all
        select stem[1], ordinal, weight
        from words, ts_lexize('english_stem', rtrim(word, '+#')) as stem
        where not is_unspaced
          and cardinality(stem) > 0
        union all
        select substr(word, place, 2), ordinal + place - 1, weight
        from words, generate_series(1, length(word)) as place
        where is_unspaced
        union all
        select word, ordinal, compound_weight
        from compounds_in(texts)
    )
    select coalesce(string_agg(format('''%s'':%s%s', lexeme, least(ordinal, 16383), weighs), ' '), '')::tsvector
    from lexemes;
end;

create or replace function shelf_name_search(name text) returns tsvector language sql immutable parallel safe
    return text_search(name, 'A', 'A');

create or replace function shelf_search(
    name text, source_model text, target_model text, category text, tags text[], description text
) returns tsvector language sql immutable parallel safe
    return text_search(name, 'A', 'A')
        || text_search(replace(source_model || ' ' || target_model, '/', ' '), 'B', 'B')
        || text_search(coalesce(category, '') || ' ' || array_to_string(tags, ' '), 'B', 'B')
        || text_search(description, 'C', 'D');

-- The terms of a query, split as texts are. A term matches its word's beginning or stem, the words that it is a
-- compound of, or the compound of the word before and this number. `is_common`: a word such as `the`.
create function search_terms(query text, terms_max bigint)
    returns table (word text, is_common boolean, is_unspaced boolean, matches text)
    language sql immutable parallel safe
begin atomic
    -- The owner of a model says nothing about it: `openai/gpt-4` is gpt-4.
    with words as materialized (
        select *
        from words_in(regexp_replace(query, '[^[:space:]]*/(?=[^[:space:]])', '', 'g'))
    ), terms as (
        select min(ordinal) as ordinal, is_unspaced, array_agg(word order by ordinal) as parts,
            case when count(*) = 1 then min(word)
                else left(string_agg(rtrim(word, '+#'), '' order by ordinal), 100) end as word
        from words
        group by compound, is_unspaced
    ), preceded as (
        select *, lag(word) over (order by ordinal) as before
        from terms
    )
    select word, stem is not null and cardinality(stem) = 0, is_unspaced,
        case
            when not is_unspaced then concat_ws(
                ' | ', format('''%s'':*', word),
                '(''' || nullif(array_to_string(parts, ''' <-> '''), word) || ''':*)',
                '''' || nullif(stem[1], word) || '''',
                case when word ~ '^[0-9]' and before !~ '[0-9]' then format('''%s%s'':*', before, word) end
            )
            when length(word) = 1 then format('''%s'':*', word)
            else (
                select '(' || string_agg('''' || substr(word, place, 2) || '''', ' <-> ' order by place) || ')'
                from generate_series(1, length(word) - 1) as place
            )
        end
    from preceded, lateral (
        select case when cardinality(parts) = 1 and not is_unspaced then ts_lexize('english_stem', word) end
    ) as stemmed (stem)
    order by ordinal
    limit terms_max;
end;

-- What spelling is corrected by. Trigrams know ASCII alone on some locales: a letter beyond it stands as one.
create function ascii_letters(word text) returns text language sql immutable parallel safe
begin atomic
    select coalesce(
        string_agg(case when ascii(letter) < 128 then letter else chr(97 + ascii(letter) % 26) end, '' order by place), ''
    )
    from regexp_split_to_table(word, '') with ordinality as letters (letter, place);
end;
drop index shelf_words_similar;
alter table shelf_words
    add column letters text not null generated always as (ascii_letters(word)) stored;
create index shelf_words_similar on shelf_words using gin (letters gin_trgm_ops);

create or replace function words_of(texts text) returns setof text language sql immutable parallel safe
begin atomic
    select word
    from words_in(texts)
    where not is_unspaced
      and length(word) between 3 and 40
      -- A number is never misspelt.
      and word !~ '^[0-9]+$'
    union
    select word
    from compounds_in(texts)
    where length(word) between 3 and 40
      and word !~ '^[0-9]+$';
end;

-- `folded_name` finds a package by its very name.
alter table shelf
    add column folded_name text not null default '',
    alter column source_key drop not null,
    alter column target_key drop not null;
create index shelf_folded_name on shelf (folded_name) where is_shown;

create function folded_name(name text) returns text language sql immutable parallel safe
    return btrim(regexp_replace(folded(name), '[[:space:]]+', ' ', 'g'));

create or replace function shelve(package uuid) returns void language sql
    security definer set search_path = public, pg_temp as $$
    insert into shelf (
        package_id, is_shown, is_active, package_type, name, folded_name, category, tags, source_key, target_key,
        source_dimension, target_dimension, seller_id, tier, evidence_rank, epsilon, is_measured, epsilon_order,
        price_minor, downloads, rating, popularity, published_at, search, name_search
    )
    select
        packages.id, is_on_market(status, taken_down_at, blocked_at) and is_latest,
        is_on_market(status, taken_down_at, blocked_at), package_type, packages.name, folded_name(packages.name),
        category, tags, model_key(source_model), model_key(target_model), source_dimension, target_dimension,
        seller_id, tier, evidence_rank(evidence_level), coalesce(epsilon_measured, epsilon_declared),
        epsilon_measured is not null, epsilon_order(epsilon_measured, epsilon_declared), price_minor, downloaders,
        rating_of(rating_sum, rating_count),
        popularity_of(downloaders, buyers, rating_of(rating_sum, rating_count), evidence_rank(evidence_level)),
        packages.created_at, shelf_search(packages.name, source_model, target_model, category, tags, description),
        shelf_name_search(packages.name)
    from packages
    join listings on package_id = packages.id
    join users on users.id = seller_id
    where packages.id = package
    on conflict (package_id) do update
    set is_shown = excluded.is_shown, is_active = excluded.is_active, name = excluded.name,
        folded_name = excluded.folded_name, category = excluded.category, tags = excluded.tags, tier = excluded.tier,
        evidence_rank = excluded.evidence_rank, epsilon = excluded.epsilon, is_measured = excluded.is_measured,
        epsilon_order = excluded.epsilon_order, price_minor = excluded.price_minor, downloads = excluded.downloads,
        rating = excluded.rating, popularity = excluded.popularity, search = excluded.search,
        name_search = excluded.name_search,
        source_key = excluded.source_key, target_key = excluded.target_key
$$;

drop function squeezed(text);
truncate shelf_words;
select shelve(id) from packages;
select keep_words(id) from packages;

grant execute on function
    case_folded(text), folded(text), folded_name(text), between_words(), unspaced_scripts(), words_in(text),
    compounds_in(text), text_search(text, text, text), search_terms(text, bigint), ascii_letters(text)
to awareness_app;
