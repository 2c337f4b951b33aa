//! The market: browsing, search, single packages, reviews, models.

use serde_json::{Map, Value};

use super::super::fields;
use super::super::operation::Operation;

const TAG: &str = "market";

/// What lists are filtered by.
const FILTERS: &str = "
    packageType?: word(vector,memory,chain,all) What kind of package.
    sourceModel?: size(0,100) The model that it comes from, however its name is written.
    targetModel?: size(0,100) The model that it is aligned to.
    category?: category One of `/api/ai/categories`.
    tags?: text All of these, separated by commas.
    minPrice?: num At least, with at most two decimals.
    maxPrice?: num At most.
    tier?: word(platinum,gold,silver) The band of its measured error.
    evidence?: word(declared,self-attested,challenged,verified) At least this level.
    maxEpsilon?: between(0,1000) The largest measured error; with `evidence=declared` declared ones count too.
    minRating?: between(0,5) The least rating.
    sourceDimension?: range(1,131072) The length of the states that it takes.
    targetDimension?: range(1,131072) The length of the states that it gives.
    sellerId?: uuid Of this seller.
    limit?: range(1,50) How many; 10 if nothing is said.
    cursor?: text `nextCursor` of the page before.";

pub fn operations() -> Vec<Operation> {
    [lists(), packages(), opinions(), models()]
        .into_iter()
        .flatten()
        .collect()
}

fn lists() -> Vec<Operation> {
    vec![
        Operation::new("get", "/api/ai/search-packages", "search_packages", TAG, "Search by words and model names")
            .about(
                "Misspelt words are understood, `gpt4` finds GPT-4, and each word that is corrected counts as two \
                 requests more. `/docs/search` tells how results are ranked.",
            )
            .header("If-None-Match")
            .asks(&format!("query: size(1,200) What is looked for.{FILTERS}"))
            .tells(
                200,
                "The best first.",
                "query: text What was looked for.
                 count: int How many are on this page.
                 results: [$Card] The packages.
                 nextCursor: text|null For the next page.",
            )
            .empty_answer(304, "As you know it."),
        Operation::new("get", "/api/ai/packages", "list_packages", TAG, "Browse what is for sale")
            .header("If-None-Match")
            .asks(&format!(
                "sort?: word(newest,downloads,rating,price,priceDescending,epsilon) The order; newest if nothing is \
                 said. `relevance` with a `query` is a search.
                 query?: text Words, with `sort=relevance`.{FILTERS}"
            ))
            .tells(
                200,
                "A page.",
                "packages: [$Card] The packages.
                 sort: text Their order.
                 nextCursor: text|null For the next page.",
            )
            .empty_answer(304, "As you know it."),
        Operation::new("get", "/api/ai/packages/trending", "list_trending", TAG, "What sells now")
            .header("If-None-Match")
            .asks("limit?: range(1,50) How many.")
            .tells(200, "The hottest first.", "packages: [$Card] The packages.\ndays: int Over how many days.")
            .empty_answer(304, "As you know it."),
        Operation::new("get", "/api/ai/categories", "list_categories", TAG, "The categories that there are")
            .tells(200, "All of them.", "categories: [$Category] Each with what it is for."),
    ]
}

fn packages() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/api/ai/packages/{packageId}",
            "get_package",
            TAG,
            "A package in full",
        )
        .header("If-None-Match")
        .gives(200, "The package.", "Package")
        .empty_answer(304, "As you know it."),
        Operation::new(
            "patch",
            "/api/ai/packages/{packageId}",
            "change_package",
            TAG,
            "Change what is said of a package",
        )
        .about("Its terms are changed at the listing; its bytes and what was measured stay.")
        .header("If-Match")
        .header("Idempotency-Key")
        .takes(
            "name?: size(3,100) What it is called.
                 description?: size(10,1000) What it is for.
                 category?: category|null One of `/api/ai/categories`; null for none.
                 tags?: [tag] At most ten.",
        )
        .gives(200, "The package as it is now.", "Package")
        .rehearses(),
        Operation::new(
            "get",
            "/api/ai/packages/{packageId}/versions",
            "list_versions",
            TAG,
            "The versions of a package",
        )
        .tells(
            200,
            "The newest first.",
            "versions: [$PackageVersion] Those that the caller may see.",
        ),
        Operation::new(
            "get",
            "/packages/{packageId}",
            "follow_package_page",
            TAG,
            "The address that webhooks name",
        )
        .gives(200, "The package, for who accepts JSON.", "Package")
        .empty_answer(303, "To the package."),
        Operation::new(
            "get",
            "/api/ai/sellers/{sellerId}",
            "get_seller",
            TAG,
            "Who sells",
        )
        .header("If-None-Match")
        .gives(200, "The profile.", "Seller")
        .empty_answer(304, "As you know it."),
    ]
}

fn opinions() -> Vec<Operation> {
    let reviews = "/api/ai/packages/{packageId}/reviews";
    let star = "/api/ai/packages/{packageId}/star";
    let starred = "packageId: id(pkg) The package.\nstarred: flag Whether it is marked now.";
    vec![
        Operation::new("get", reviews, "list_reviews", TAG, "What buyers say")
            .about(
                "Of those who have the package. `rating` and `count` are of those who paid for it.",
            )
            .paged()
            .tells(
                200,
                "The newest first.",
                "rating: num|null The mean.
                 count: int How many have weight.
                 reviews: [$Review] A page of them.
                 nextCursor: text|null For the next page.",
            ),
        Operation::new(
            "put",
            reviews,
            "review_package",
            TAG,
            "Say how a package is, or change it",
        )
        .about("For those who bought it; each has one review.")
        .header("Idempotency-Key")
        .takes("rating: range(1,5) Stars.\ntext?: size(0,2000)|null In words.")
        .tells(
            200,
            "Said.",
            "packageId: id(pkg) The package.\nrating: int Stars.\ntext: text|null In words.",
        ),
        Operation::new(
            "delete",
            reviews,
            "withdraw_review",
            TAG,
            "Take one's review back",
        )
        .tells(
            200,
            "Gone.",
            "packageId: id(pkg) The package.\nwithdrawn: flag True.",
        ),
        Operation::new(
            "put",
            "/api/ai/reviews/{reviewId}/reply",
            "reply_to_review",
            TAG,
            "The seller answers a review",
        )
        .takes("text: size(0,2000)|null The answer; null takes it back.")
        .tells(
            200,
            "Answered.",
            "reviewId: uuid The review.\nreply: text|null The answer.",
        ),
        Operation::new("put", star, "star_package", TAG, "Mark a package")
            .tells(200, "Marked.", starred),
        Operation::new("delete", star, "unstar_package", TAG, "Take the mark away").tells(
            200,
            "Not marked.",
            starred,
        ),
    ]
}

fn models() -> Vec<Operation> {
    vec![
        Operation::new(
            "get",
            "/api/ai/packages/best-matrix",
            "find_best_matrix",
            TAG,
            "The best map between two models",
        )
        .about("Measured ones before declared ones, then by error, evidence and popularity.")
        .header("If-None-Match")
        .asks(
            "sourceModel: size(1,100) From this model.
                 targetModel: size(1,100) To this one.
                 limit?: range(1,50) How many.",
        )
        .tells(
            200,
            "The best first.",
            "sourceModel: text From.
                 targetModel: text To.
                 best: $Card|null The best, if there is any.
                 packages: [$Card] All, the best first.",
        )
        .empty_answer(304, "As you know it."),
        Operation::new(
            "post",
            "/api/ai/compatibility",
            "check_compatibility",
            TAG,
            "Is there a way from one model to another?",
        )
        .takes(
            "sourceModel: size(1,100) From this model.
                 targetModel: size(1,100) To this one.
                 dimension?: range(1,131072)|null The length of the states that you have.",
        )
        .gives(200, "What there is.", "Compatibility"),
    ]
}

/// What answers are made of.
const SCHEMAS: &str = "
        Card
        packageId: text The package.
        packageType: word(vector,memory,chain) What kind of package it is.
        name: text What it is called.
        description: text What it is for.
        price: num With two decimals.
        epsilon: num The alignment error: measured if it could be, else declared.
        downloads: int How often it was downloaded.
        priceMinor: int The price in minor units.
        currency: text ISO 4217.
        licenseMode: text Who may buy.
        evidenceLevel: text How its error is known.
        tier: text|null The band of its measured error.
        version: text Its semantic version.
        category: text|null What it is for.
        tags: [text] What else it is about.
        sourceModel: text The model that it comes from.
        targetModel: text The model that it is aligned to.
        sourceDimension: int|null The length of the states that it takes.
        targetDimension: int|null The length of the states that it gives.
        sales: int How often it was sold.
        rating: num|null The mean of its reviews.
        reviews: int How many there are.
        stars: int How many have marked it.
        sellerId: uuid Who sells it.
        sellerName: text Who sells it, by name.
        createdAt: time When it was published.

        Package
        packageId: text The package.
        packageType: word(vector,memory,chain) What kind of package it is.
        name: text What it is called.
        description: text What it is for.
        price: num With two decimals.
        priceMinor: int The price in minor units.
        currency: text ISO 4217.
        epsilon: num The alignment error: measured if it could be, else declared.
        epsilonDeclared: num As its seller says.
        epsilonMeasured: num|null As we measured.
        evidenceLevel: text How its error is known.
        tier: text|null The band of its measured error.
        version: text Its semantic version.
        isLatest: flag Whether it is the newest of its versions.
        status: word(draft,active,paused,removed) Whether it is for sale.
        packageSizeBytes: int Its size.
        wMatrixSizeBytes: int The size of its alignment matrix.
        packageSha256: digits(64) The SHA-256 of its bytes.
        wMatrixSha256: digits(64) The SHA-256 of its alignment matrix.
        listingUrl: text Its terms, with what is left of its supply.
        versionsUrl: text Its versions.
        reviewsUrl: text What buyers say.

        PackageVersion
        packageId: text The package.
        version: text Its semantic version.
        status: text Whether it is for sale.
        isLatest: flag Whether it is the newest.
        priceMinor: int The price in minor units.
        createdAt: time When it was published.

        Category
        category: text Its name.
        about: text What it is for.

        Review
        reviewId: uuid The review.
        buyerId: uuid Whose.
        buyerName: text Whose, by name.
        rating: int Stars.
        text: text|null In words.
        verifiedPurchase: flag Whether the buyer still owns the package.
        reply: text|null What the seller answered.
        repliedAt: time|null When.
        createdAt: time When it was written.
        updatedAt: time When it was changed.

        SellerFigures
        packages: int For sale.
        sales: int Of those.
        downloads: int Of those.
        reviews: int Of those.
        rating: num|null The mean of all reviews.

        Seller
        sellerId: uuid The seller.
        name: text Its name.
        kind: text A person or an agent.
        about: text|null What it says of itself.
        createdAt: time Since when.
        figures: $SellerFigures What it has come to.
        packages: [$Card] The newest ten.

        KnownModel
        model: text As it was asked for.
        hiddenDimension: int|null The length of its states, if its maker tells.

        Detour
        viaModel: text Over this model.
        firstPackageId: text The map to it.
        secondPackageId: text The map from it.
        epsilonBound: num At most this error, both together.
        priceMinor: int Both together.

        Compatibility
        verdict: word(direct,detour,none,dimension_mismatch) In a word.
        source: $KnownModel From.
        target: $KnownModel To.
        dimensionFits: flag|null Whether the given length fits, if it is known.
        expectedDimension: int|null The length that is expected.
        direct: $Card|null The best map.
        reverse: $Card|null The best map the other way.
        detours: [$Detour] Ways over a third model.";

pub fn schemas() -> Map<String, Value> {
    fields::schemas(SCHEMAS)
}
