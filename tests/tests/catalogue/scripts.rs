//! Search in any script: whatever a name is written in, it is found as people type it, on every locale.

use std::collections::BTreeSet;

use common::catalog::{self, Filters};
use tests::World;
use tests::random::{Random, seed_from};
use tests::servers::Locale;
use tests::world::Plan;
use unicode_normalization::UnicodeNormalization as _;

use super::shelf::{Item, put};

const LOCALES: [Locale; 2] = [Locale::C, Locale::Icu];

async fn world_of(locale: Locale) -> World {
    World::planned(Plan {
        worker: false,
        scheduler: false,
        locale,
        ..Plan::default()
    })
    .await
}

async fn put_named(world: &World, names: &[impl AsRef<str>]) {
    let items: Vec<Item<'_>> = names
        .iter()
        .map(|name| Item {
            name: name.as_ref(),
            ..Item::default()
        })
        .collect();
    put(world, &items).await;
}

/// The names that are found, the best first.
async fn found(world: &World, query: &str) -> Vec<String> {
    let plan = catalog::plan_search(&world.pool, query).await.unwrap();
    let filters = Filters::default();
    let found = catalog::search(&world.pool, &plan, &filters, 0, 50).await;
    let cards = found.unwrap().0.into_iter();
    cards.map(|card| card.name).collect()
}

const NAMES: [&str; 15] = [
    "Модель предложений",
    "ÉCOLE normale",
    "模型建议器",
    "日本語の文章モデル",
    "Top 100 words",
    "Kit 4096 dims",
    "Hash 231e6f",
    "GPT-4 Vision",
    "Straße und Gasse",
    "C++ helper",
    "c# helper",
    "ΟΔΥΣΣΕΥΣ maps",
    "ذاكرة اللغة",
    "हिन्दी भाषा",
    "ภาษาไทย",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_found_as_people_type_it_on_every_locale() {
    for locale in LOCALES {
        let world = world_of(locale).await;
        put_named(&world, &NAMES).await;
        for (query, name) in [
            ("модель", NAMES[0]),
            ("МОДЕЛЬ", NAMES[0]),
            ("модел", NAMES[0]),
            ("предложний", NAMES[0]),
            ("école", NAMES[1]),
            ("ecole", NAMES[1]),
            ("E\u{301}cole", NAMES[1]),
            ("模型", NAMES[2]),
            ("建议", NAMES[2]),
            ("议", NAMES[2]),
            ("文章", NAMES[3]),
            ("ﾓﾃﾞﾙ", NAMES[3]),
            ("top 100", NAMES[4]),
            ("top100", NAMES[4]),
            ("100", NAMES[4]),
            ("kit 4096", NAMES[5]),
            ("4096", NAMES[5]),
            ("hash 231e6f", NAMES[6]),
            ("231E6F", NAMES[6]),
            ("gpt4", NAMES[7]),
            ("gpt 4", NAMES[7]),
            ("openai/gpt-4 vision", NAMES[7]),
            ("STRASSE", NAMES[8]),
            ("c++", NAMES[9]),
            ("C#", NAMES[10]),
            ("οδυσσεύς", NAMES[11]),
            ("οδυσσευσ", NAMES[11]),
            ("اللغة", NAMES[12]),
            ("हिन्दी", NAMES[13]),
            ("ไทย", NAMES[14]),
        ] {
            let found = found(&world, query).await;
            assert_eq!(
                found.first().map(String::as_str),
                Some(name),
                "{locale:?}: {query}: {found:?}"
            );
        }
        // What is no letter to one of them and a letter to the other is no syntax to either.
        for query in ["²", "①", "½", "ﬀ", "㍿", "🚀", "\u{200b}", "‼", "ꜩ", "𝔘"] {
            let _found = found(&world, query).await;
        }
    }
}

/// A name of one to four words of several scripts, parted in several ways.
fn some_name(random: &mut Random) -> String {
    const WORDS: [&str; 24] = [
        "Alignment",
        "the",
        "GPT",
        "4",
        "3.5",
        "231e6f",
        "Модель",
        "предложений",
        "Ёлка",
        "École",
        "Straße",
        "ΣΑΣ",
        "模型",
        "建议器",
        "日本語",
        "モデル",
        "ภาษา",
        "한국어",
        "ذاكرة",
        "हिन्दी",
        "C++",
        "c#",
        "ﬁne",
        "x²",
    ];
    const BETWEEN: [&str; 8] = [" ", " ", " ", "-", ".", ", ", " & ", "/"];
    let mut name = (*random.one_of(&WORDS)).to_owned();
    for _ in 0..random.below(4) {
        let next: &&str = random.one_of(&BETWEEN);
        name.push_str(next);
        let next: &&str = random.one_of(&WORDS);
        name.push_str(next);
    }
    name
}

/// As it may be typed: in another case and composition.
fn retyped(random: &mut Random, text: &str) -> String {
    let cased = match random.below(3) {
        0 => text.to_owned(),
        1 => text.to_lowercase(),
        _ => text.to_uppercase(),
    };
    match random.below(3) {
        0 => cased,
        1 => cased.nfc().collect(),
        _ => cased.nfd().collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_is_found_by_itself_first_by_each_beginning_and_by_each_word() {
    let seed = seed_from("AWARENESS_SEARCH_SEED");
    println!("AWARENESS_SEARCH_SEED={seed}");
    let mut random = Random::new(seed);
    let names: BTreeSet<String> = (0..30).map(|_| some_name(&mut random)).collect();
    let names: Vec<String> = names.into_iter().collect();
    for locale in LOCALES {
        let world = world_of(locale).await;
        put_named(&world, &names).await;
        for name in &names {
            let query = retyped(&mut random, name);
            let best = found(&world, &query).await;
            let is_same = |other: &String| {
                let plain = |text: &str| {
                    text.to_uppercase()
                        .to_lowercase()
                        .nfkd()
                        .collect::<String>()
                };
                plain(other) == plain(name)
            };
            assert!(
                best.first().is_some_and(is_same),
                "{name}, typed {query}: {best:?}"
            );
            let letters: Vec<char> = name.chars().collect();
            let beginnings =
                (1..=letters.len()).map(|end| letters[..end].iter().collect::<String>());
            let words = name.split([' ', ',', '&']).map(str::to_owned);
            let parts = name
                .split(['-', '.', '/', ' ', ',', '&'])
                .map(str::to_owned);
            for typed in beginnings.chain(words).chain(parts) {
                let query = retyped(&mut random, &typed);
                if query.chars().any(char::is_alphanumeric) {
                    let found = found(&world, &query).await;
                    assert!(found.contains(name), "{name}, typed {query}: {found:?}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_named_in_other_scripts_stay_apart() {
    for locale in LOCALES {
        let world = world_of(locale).await;
        let models = [
            "Модель-А",
            "Модель-Б",
            "模型",
            "模形",
            "C",
            "C++",
            "C#",
            "???",
            "GPT-4",
        ];
        let items: Vec<Item<'_>> = models
            .iter()
            .map(|source| Item {
                name: source,
                source,
                target: "llama-3",
                tier: Some("gold"),
                ..Item::default()
            })
            .collect();
        put(&world, &items).await;
        for model in models {
            let best = catalog::best_matrices(&world.pool, model, "llama-3", 50).await;
            let best: Vec<String> = best.unwrap().into_iter().map(|card| card.name).collect();
            let expected: &[&str] = if model == "???" { &[] } else { &[model] };
            assert_eq!(best, expected, "{locale:?}: {model}");
        }
        let best = catalog::best_matrices(&world.pool, "модель а", "LLAMA 3", 50).await;
        assert_eq!(best.unwrap()[0].name, "Модель-А");
        assert!(
            catalog::best_matrices(&world.pool, "", "llama-3", 50)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            catalog::detours(&world.pool, "!", "llama-3", 50)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
