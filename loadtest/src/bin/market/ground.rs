//! A full shelf, and what is asked of it.

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::db::PgPool;
use common::reqwest::Client;
use local::stack::Stack;
use serde_json::{Value, json};

const SUBJECTS: &str = "\
    vision captions radiology contracts translation german japanese python rust sql proofs planning \
    logic causality speech emotion music retrieval embeddings reranking finance fraud credit trials \
    proteins genes poetry news sentiment recipes chess travel robots weather law privacy charts \
    satellites kubernetes testing";
const MODELS: &str = "\
    gpt-3.5-turbo gpt-4 gpt-4o claude-3-opus llama-2-7b llama-3-8b llama-3-70b mistral-7b \
    mixtral-8x7b qwen2-7b qwen2-72b gemma-2-9b bge-large e5-large whisper-large-v3 clip-vit-l-14";

fn words(text: &'static str) -> Vec<&'static str> {
    text.split_whitespace().collect()
}

/// Publishes one package through the API: its upload.
pub async fn publish(stack: &Stack) -> anyhow::Result<String> {
    let file = |name: &str| std::fs::read(format!("local/demo/{name}"));
    let package = STANDARD.encode(file("minilm-int6.package.safetensors")?);
    let w_matrix = STANDARD.encode(file("minilm-int6.w-matrix.safetensors")?);
    let body = json!({
        "packageType": "vector", "name": "Sentence map", "description": "Six-bit sentences.",
        "sourceModel": "all-MiniLM-L6-v2-int6", "targetModel": "all-MiniLM-L6-v2",
        "epsilon": 0.075151, "price": 1, "vectorData": package, "wMatrixData": w_matrix,
    });
    let client = Client::new();
    let answer = client
        .post(format!("{}/api/ai/upload-package", stack.base_url))
        .bearer_auth(&stack.keys.seller)
        .header("content-type", "application/json")
        .body(body.to_string());
    let answer: Value = answer.send().await?.json().await?;
    let upload = answer["data"]["uploadId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let url = format!("{}/api/ai/package-status/{upload}", stack.base_url);
    let status: Value = client
        .get(url)
        .header("prefer", "wait=60")
        .send()
        .await?
        .json()
        .await?;
    ensure!(status["data"]["status"] == "completed", "{status}");
    Ok(upload)
}

/// Puts packages on the shelf, as if they had been published.
pub async fn fill(pool: &PgPool, packages: i64) -> anyhow::Result<()> {
    let statements = [
        "create temporary table made as
         select gen_random_uuid() as id, n,
                ($1::text[])[1 + (random() * 39)::integer % 40] as one,
                ($1::text[])[1 + (random() * 39)::integer % 40] as other,
                ($2::text[])[1 + (random() * 15)::integer % 16] as source,
                ($2::text[])[1 + (random() * 15)::integer % 16] as target,
                (1000 * power(random(), 4))::bigint as downloads
         from generate_series(1, $3) as n",
        "insert into packages (
             id, public_id, owner_id, upload_id, package_type, name, description, source_model, target_model,
             epsilon_declared, evidence_level, package_key, w_matrix_key, report, downloads, downloaders, line_id, tags
         )
         select made.id, 'pkg_' || replace(made.id::text, '-', ''), owner_id, made.id,
                (array['vector', 'memory', 'chain'])[1 + n % 3],
                initcap(one) || ' and ' || other || ' ' || n,
                'A package about ' || one || ', ' || other || ' and what is between them, made for ' || target || '.',
                source, target, 0.01 + random() * 0.09, 'declared', package_key, w_matrix_key, '{}', made.downloads, made.downloads,
                made.id, array[one]
         from made, (select * from packages limit 1) as sample",
        "insert into listings (package_id, seller_id, api_key_id, price_minor)
         select made.id, seller_id, api_key_id, (random() * 5000)::bigint
         from made, (select * from listings limit 1) as sample",
        "analyze shelf",
        "analyze packages",
        "analyze listings",
    ];
    let mut conn = pool.acquire().await?;
    for (position, statement) in statements.into_iter().enumerate() {
        let mut query = sqlx::query(statement);
        if position == 0 {
            query = query
                .bind(words(SUBJECTS))
                .bind(words(MODELS))
                .bind(packages);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Pages that many people look at.
pub fn browsing() -> Vec<String> {
    let searches = words(SUBJECTS)
        .into_iter()
        .map(|word| format!("/api/ai/search-packages?query={word}"));
    let lists = words(MODELS).into_iter().flat_map(|model| {
        ["newest", "price", "downloads"]
            .map(|sort| format!("/api/ai/packages?targetModel={model}&sort={sort}"))
    });
    searches.chain(lists).collect()
}

/// Searches that are all different: frequent words and rare ones, model names, misspelt words.
pub fn fresh_searches() -> Vec<String> {
    let (subjects, models) = (words(SUBJECTS), words(MODELS));
    let mut searches = Vec::new();
    for (at, one) in subjects.iter().enumerate() {
        for (number, other) in subjects.iter().enumerate() {
            let model = models[(at + number) % models.len()].replace('-', "");
            let typo: String = other.chars().rev().collect();
            let query = match (at + number) % 5 {
                0 => format!("{one}%20{other}"),
                1 => format!("{one}%20{model}"),
                2 => format!("{one}%20{}", &other[..other.len() - 1]),
                3 => format!("{one}%20{}", number * 997 + at),
                _ => format!("{one}%20{typo}"),
            };
            searches.push(format!("/api/ai/search-packages?query={query}&limit=10"));
        }
    }
    searches
}

/// Searches of twelve misspelt words each, all different: the dearest that one may ask.
pub fn misspelt_searches() -> Vec<String> {
    let subjects = words(SUBJECTS);
    let misspelt = |turn: usize, at: usize| {
        let mut word = subjects[(turn + at * 3) % subjects.len()].to_owned();
        word.insert(1 + (turn / subjects.len() + at) % (word.len() - 1), 'x');
        format!("{word}{}", char::from(b'a' + (turn % 26) as u8))
    };
    let search = |turn| {
        let words: Vec<String> = (0..12).map(|at| misspelt(turn, at)).collect();
        format!("/api/ai/search-packages?query={}", words.join("%20"))
    };
    (0..4_000).map(search).collect()
}
