//! An entry of the table: a method of a route, its handler, and all that holds for it.

use std::any::type_name;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use common::webhooks::EventType;
use schemars::JsonSchema;
use serde_json::json;

use super::answer::DryRunOutcome;
use super::handler::{Body, Described, Signature};
use super::schemas::{Schemas, WireType};
use crate::access::Access;
use crate::limits::Kind;
use crate::openapi::{self, Modes};
use crate::state::ApiState;

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// It is answered at once.
    Quick,
    /// A client may wait for a change (`Prefer: wait`).
    Waiting,
    /// It goes on for as long as something changes.
    Streaming,
}

/// An operation.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    /// As the router writes it.
    pub route: &'static str,
    pub access: Access,
    /// The limits that its calls count against; none for what is never limited.
    pub kind: Option<Kind>,
    pub pace: Pace,
    /// Whether `replay` answers a repeated `Idempotency-Key`.
    pub is_replayed: bool,
    pub handler: MethodRouter<ApiState>,
    id: &'static str,
    tag: &'static str,
    summary: &'static str,
    about: Option<&'static str>,
    answers: Vec<(u16, &'static str)>,
    empty_answers: Vec<(u16, &'static str)>,
    media_types: Vec<(u16, &'static str, &'static str)>,
    faults: Vec<u16>,
    callbacks: Vec<(&'static str, &'static [EventType])>,
    signature: Signature,
}

macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident $method:ident,)*) => {
        $($(#[$doc])*
        pub fn $name<H, A>(route: &'static str, handler: H, access: Access, summary: &'static str) -> Operation
        where
            H: Handler<A, ApiState> + Described<A>,
            A: 'static,
        {
            Operation::new(Method::$method, MethodFilter::$method, route, handler, access, summary)
        })*
    };
}

rows! {
    /// A `GET`.
    get GET,
    /// A `DELETE`.
    delete DELETE,
    /// A `POST`.
    post POST,
}

impl Operation {
    fn new<H, A>(
        method: Method,
        filter: MethodFilter,
        route: &'static str,
        handler: H,
        access: Access,
        summary: &'static str,
    ) -> Self
    where
        H: Handler<A, ApiState> + Described<A>,
        A: 'static,
    {
        let id = type_name::<H>();
        Self {
            // What operators write is answered again as it was.
            is_replayed: access == Access::Operator && method != Method::GET,
            method,
            route,
            access,
            kind: (access != Access::Operator).then_some(Kind::Other),
            pace: Pace::Quick,
            handler: on(filter, handler),
            id: id.rsplit("::").next().unwrap_or(id),
            tag: "",
            summary,
            about: None,
            answers: Vec::new(),
            empty_answers: Vec::new(),
            media_types: Vec::new(),
            faults: Vec::new(),
            callbacks: Vec::new(),
            signature: H::signature(),
        }
    }

    /// The group of operations that it is shown in.
    pub fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// More than the summary says; Markdown.
    pub fn about(mut self, text: &'static str) -> Self {
        self.about = Some(text);
        self
    }

    /// A good answer, with the data that its handler answers.
    pub fn gives(mut self, status: u16, about: &'static str) -> Self {
        self.answers.push((status, about));
        self
    }

    /// Statuses of faults beyond those that follow from what it takes.
    pub fn faults(mut self, statuses: &[u16]) -> Self {
        self.faults.extend(statuses);
        self
    }

    /// The events that are sent to the address in that field of the body.
    pub fn calls_back(mut self, field: &'static str, types: &'static [EventType]) -> Self {
        self.callbacks.push((field, types));
        self
    }

    /// A repeated request with the same `Idempotency-Key` gets the first answer again.
    pub fn replayed(mut self) -> Self {
        self.is_replayed = true;
        self
    }

    /// Events are streamed to the client.
    pub fn streaming(mut self) -> Self {
        self.pace = Pace::Streaming;
        self.media_types.push((
            200,
            "Server-sent events, until nothing changes any more.",
            "text/event-stream",
        ));
        self
    }

    /// The type of its JSON answers, where the handler's own type does not say it.
    pub fn answers<T: JsonSchema>(mut self) -> Self {
        self.signature.data = Some(WireType::of::<T>());
        self
    }

    /// The JSON body that the handler reads by itself.
    pub fn takes<T: JsonSchema>(mut self) -> Self {
        self.signature.body = Some(Body {
            wire: WireType::of::<T>(),
            is_required: true,
        });
        self
    }

    /// A header that the handler reads by itself.
    pub fn header(mut self, name: &'static str) -> Self {
        self.signature.headers.push(name);
        self
    }

    /// An answer without a body.
    pub fn empty(mut self, status: u16, about: &'static str) -> Self {
        self.empty_answers.push((status, about));
        self
    }

    /// What its calls count as.
    pub fn limited_as(mut self, kind: Option<Kind>) -> Self {
        self.kind = kind;
        self
    }

    /// A client may wait for a change.
    pub fn waiting(mut self) -> Self {
        self.pace = Pace::Waiting;
        self
    }

    /// The operation in the document.
    pub fn describe(&self, schemas: &mut Schemas) -> openapi::Operation {
        let method = match self.method {
            Method::GET => "get",
            Method::DELETE => "delete",
            _ => "post",
        };
        let path = camel_case(self.route);
        let mut shown = openapi::Operation::new(method, path, self.id, self.tag, self.summary);
        if let Some(text) = self.about {
            shown = shown.about(text);
        }
        let mut headers = self.signature.headers.clone();
        if self.is_replayed && !headers.contains(&"Idempotency-Key") {
            headers.push("Idempotency-Key");
        }
        for header in headers {
            shown = shown.header(header);
        }
        if let Some(query) = self.signature.query {
            for (name, is_required, schema) in schemas.of_query(query) {
                shown = shown.query_parameter(&name, is_required, schema);
            }
        }
        if let Some(body) = self.signature.body {
            let schema = schemas.of_request(body.wire);
            shown = match body.is_required {
                true => shown.body(schema),
                false => shown.optional_body(schema),
            };
        }
        let data = self.signature.data.map(|data| schemas.of_envelope(data));
        for (status, about) in &self.answers {
            shown = match &data {
                Some(data) => shown.bare_answer(*status, about, data.clone()),
                None => shown.empty_answer(*status, about),
            };
        }
        for (status, about) in &self.empty_answers {
            shown = shown.empty_answer(*status, about);
        }
        for (status, about, media_type) in &self.media_types {
            shown = shown.shows(*status, about, media_type);
        }
        if self.signature.is_tagged {
            shown = shown.empty_answer(304, "Not modified.");
        }
        if self.signature.has_dry_run {
            let about = "With `true`, the request is checked as usual and refused for the same reasons, but changes nothing.";
            let schema = json!({ "type": "boolean", "description": about });
            let dry_run = schemas.of_envelope(WireType::of::<DryRunOutcome>());
            let done = self.answers.iter().find(|(status, _)| *status == 200);
            let (about, answer) = match (done, data) {
                (Some((_, about)), Some(data)) => (*about, json!({ "anyOf": [data, dry_run] })),
                _ => ("With `dryRun`: it would have succeeded.", dry_run),
            };
            shown = shown
                .query_parameter("dryRun", false, schema)
                .bare_answer(200, about, answer);
        }
        for (field, types) in &self.callbacks {
            shown = shown.calls_back(field, Modes::Plain, types);
        }
        shown.faults(&self.faults)
    }
}

/// A path as clients read it: `{payoutId}` for `{payout_id}`.
fn camel_case(route: &str) -> String {
    let mut path = String::new();
    let (mut is_inside, mut is_next_upper) = (false, false);
    for char in route.chars() {
        match char {
            '{' => is_inside = true,
            '}' => is_inside = false,
            '_' if is_inside => {
                is_next_upper = true;
                continue;
            }
            _ => {}
        }
        path.push(if is_next_upper {
            char.to_ascii_uppercase()
        } else {
            char
        });
        is_next_upper = false;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parameters_alone_are_written_otherwise() {
        for (route, path) in [
            ("/api/ai/payouts/{payout_id}", "/api/ai/payouts/{payoutId}"),
            ("/a_b/{one}/c_d/{two_three}", "/a_b/{one}/c_d/{twoThree}"),
        ] {
            assert_eq!(camel_case(route), path);
        }
    }
}
