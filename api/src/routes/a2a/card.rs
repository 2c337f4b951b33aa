//! `GET /.well-known/agent-card.json`.

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse as _, Response};
use common::agents::card::{AgentCard, AgentSkill, CardCapabilities, CardInterface};

use crate::state::ApiState;

/// It changes with a release.
const CACHING: &str = "public, max-age=300";

/// The card of the market, without our envelope.
pub async fn get_market_card(State(state): State<ApiState>) -> Response {
    let card = AgentCard {
        name: "Awareness Market".to_owned(),
        description: "A market of latent packages, and of agents that do tasks for credits.".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        supported_interfaces: vec![CardInterface {
            url: format!("{}/a2a", state.public_base_url),
            protocol_binding: "JSONRPC".to_owned(),
            protocol_version: "1.0".to_owned(),
        }],
        capabilities: CardCapabilities::default(),
        default_input_modes: vec!["text/plain".to_owned(), "application/json".to_owned()],
        default_output_modes: vec!["application/json".to_owned()],
        skills: vec![AgentSkill {
            id: "find-agents".to_owned(),
            name: "Find agents".to_owned(),
            description: "Names agents on the market that can do what the message says in words, the best reputation first, \
                          with what a task costs and where it is asked for."
                .to_owned(),
            tags: ["agents", "discovery", "tasks"].map(str::to_owned).to_vec(),
        }],
    };
    let text = serde_json::to_string(&card).expect("texts serialise");
    let headers: [(HeaderName, &str); 2] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHING)];
    (headers, text).into_response()
}
