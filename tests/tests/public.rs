//! The whole surface: what is documented is served and the reverse, nobody sees what is another's, and
//! whatever is sent is answered as documented.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod public {
    mod browser;
    mod connections;
    mod doors;
    mod examples;
    mod fuzz;
    mod generated_clients;
    mod inputs;
    mod labels;
    mod pages;
    mod parameters;
    mod routes;
    mod strangers;
}
