//! Browsing: filters, sorts, pages, trending, the best map between two models.

use serde_json::{Value, json};
use tests::World;

use super::shelf::{Item, names, put};

async fn stocked() -> World {
    let world = World::only_api().await;
    let item = |name, source, target, price_minor, epsilon, tier, downloads| Item {
        name,
        source,
        target,
        price_minor,
        epsilon,
        tier,
        downloads,
        ..Item::default()
    };
    let mut items = vec![
        item(
            "First one",
            "GPT-4",
            "llama-3-8b",
            500,
            0.008,
            Some("platinum"),
            10,
        ),
        item(
            "Second one",
            "gpt4",
            "Llama 3 8B",
            900,
            0.03,
            Some("gold"),
            30,
        ),
        item(
            "Third one",
            "openai/gpt-4",
            "llama-3-8b",
            100,
            0.02,
            None,
            20,
        ),
        item(
            "Fourth one",
            "llama-3-8b",
            "mistral-7b",
            700,
            0.04,
            Some("gold"),
            5,
        ),
        item(
            "Fifth one",
            "gpt-4",
            "qwen2-72b",
            300,
            0.09,
            Some("silver"),
            1,
        ),
    ];
    items[0].category = Some("vision");
    items[0].tags = vec!["images", "captions"];
    items[1].tags = vec!["images"];
    put(&world, &items).await;
    world
}

async fn browsed(world: &World, query: &str) -> Vec<String> {
    let answer = world
        .anonymous
        .get(&format!("/api/ai/packages?{query}"))
        .await;
    names(&answer.data()["packages"])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_keeps_what_fits_and_they_all_hold_together() {
    let world = stocked().await;
    for (query, expected) in [
        (
            "sourceModel=gpt-4&targetModel=LLAMA3-8B&sort=price",
            vec!["Third one", "First one", "Second one"],
        ),
        ("category=vision", vec!["First one"]),
        ("tags=images&sort=price", vec!["First one", "Second one"]),
        ("tags=images,captions", vec!["First one"]),
        (
            "minPrice=5&maxPrice=7.00&sort=price",
            vec!["First one", "Fourth one"],
        ),
        ("tier=gold&sort=price", vec!["Fourth one", "Second one"]),
        (
            "evidence=self-attested&maxEpsilon=0.03&sort=epsilon",
            vec!["First one", "Second one"],
        ),
        ("packageType=memory", vec![]),
        (
            "packageType=all&sourceDimension=768&targetDimension=1024&tier=silver",
            vec!["Fifth one"],
        ),
        ("sourceDimension=1", vec![]),
    ] {
        assert_eq!(browsed(&world, query).await, expected, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sort_orders_and_pages_join_without_a_gap() {
    let world = stocked().await;
    for (sort, first) in [
        ("newest", "Fifth one"),
        ("downloads", "Second one"),
        ("price", "Third one"),
        ("priceDescending", "Second one"),
        ("epsilon", "First one"),
        ("rating", "Fifth one"),
    ] {
        let whole = browsed(&world, &format!("sort={sort}")).await;
        assert_eq!((whole.len(), whole[0].as_str()), (5, first), "{sort}");
        let mut paged = Vec::new();
        let mut path = format!("/api/ai/packages?sort={sort}&limit=2");
        for page in 0..3 {
            let answer = world.anonymous.get(&path).await;
            paged.extend(names(&answer.data()["packages"]));
            let next = answer.data()["nextCursor"].clone();
            assert_eq!(next.is_null(), page == 2, "{sort}");
            let links = answer.headers.get_all("link").iter();
            let next = links
                .filter_map(|link| link.to_str().unwrap().strip_suffix(">; rel=\"next\""))
                .find_map(|link| link.strip_prefix('<'));
            assert_eq!(next.is_none(), page == 2, "{sort}");
            path = next.unwrap_or_default().to_owned();
        }
        assert_eq!(paged, whole, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_query_is_named_at_once() {
    let world = stocked().await;
    let query = "sort=best&limit=51&tier=bronze&minPrice=1.999&cursor=x&maxEpsilon=nan";
    let answer = world
        .anonymous
        .get(&format!("/api/ai/packages?{query}"))
        .await;
    assert_eq!(answer.fault(), (400, "INVALID_INPUT".to_owned()));
    let details = answer.details();
    for field in ["sort", "tier", "minPrice", "cursor", "maxEpsilon", "limit"] {
        assert!(details[field].is_string(), "{field}: {details}");
    }
    let unknown = world.anonymous.get("/api/ai/packages?limits=5").await;
    let fault = "is unknown (did you mean limit?)";
    assert_eq!(unknown.details()["limits"], fault);
    let twice = world
        .anonymous
        .get("/api/ai/packages?limit=5&limit=5")
        .await;
    assert_eq!(twice.details()["limit"], "must be given once");
    let empty = world
        .anonymous
        .get("/api/ai/search-packages?query=%20")
        .await;
    assert_eq!(empty.details()["query"], "is required");
}

#[tokio::test(flavor = "multi_thread")]
async fn relevance_is_a_sort_of_browsing_too() {
    let world = stocked().await;
    let answer = world
        .anonymous
        .get("/api/ai/packages?sort=relevance&query=second")
        .await;
    assert_eq!(names(&answer.data()["results"])[0], "Second one");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_map_is_measured_before_it_is_good() {
    let world = stocked().await;
    let path = "/api/ai/packages/best-matrix?sourceModel=gpt-4&targetModel=llama-3-8b";
    let data = world.anonymous.get(path).await.data();
    assert_eq!(
        names(&data["packages"]),
        ["First one", "Second one", "Third one"]
    );
    assert_eq!(data["best"]["name"], "First one");
    let path = "/api/ai/packages/best-matrix?sourceModel=gpt-4&targetModel=nothing";
    let data = world.anonymous.get(path).await.data();
    assert_eq!(
        (&data["best"], &data["packages"]),
        (&Value::Null, &json!([]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn compatibility_is_direct_over_a_third_model_or_not_at_all() {
    let world = stocked().await;
    let probe = |source: &str, target: &str, dimension: Option<u32>| {
        let body = json!({ "sourceModel": source, "targetModel": target, "dimension": dimension });
        let client = world.anonymous.clone();
        async move { client.post("/api/ai/compatibility", &body).await.data() }
    };
    let direct = probe("gpt-4", "llama-3-8b", None).await;
    assert_eq!(direct["verdict"], "direct");
    assert_eq!(direct["direct"]["name"], "First one");
    let detour = probe("gpt-4", "mistral-7b", None).await;
    assert_eq!(detour["verdict"], "detour");
    assert_eq!(detour["detours"][0]["viaModel"], "llama-3-8b");
    assert_eq!(detour["detours"][0]["priceMinor"], 1200);
    let bound = detour["detours"][0]["epsilonBound"].as_f64().unwrap();
    assert!((bound - 0.048_32).abs() < 1e-9, "{bound}");
    assert_eq!(probe("mistral-7b", "gpt-4", None).await["verdict"], "none");
    let wrong = probe("llama-3-8b", "mistral-7b", Some(768)).await;
    assert_eq!(wrong["verdict"], "dimension_mismatch");
    assert_eq!(wrong["expectedDimension"], 4096);
    let right = probe("llama-3-8b", "mistral-7b", Some(4096)).await;
    assert_eq!(
        (&right["verdict"], &right["dimensionFits"]),
        (&json!("direct"), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_sells_now_is_trending_before_what_sold_once() {
    let world = stocked().await;
    let sold = |name: &str, days: i32, sales: i64| {
        sqlx::query(
            "insert into package_days (package_id, day, sales)
             select id, current_date - $2, $3
             from packages
             where name = $1",
        )
        .bind(name.to_owned())
        .bind(days)
        .bind(sales)
        .execute(&world.pool)
    };
    sold("Fifth one", 0, 10).await.unwrap();
    sold("First one", 5, 20).await.unwrap();
    sold("Second one", 8, 1000).await.unwrap();
    let data = world
        .anonymous
        .get("/api/ai/packages/trending?limit=3")
        .await
        .data();
    assert_eq!(names(&data["packages"])[..2], ["Fifth one", "First one"]);
}
