//! An entry of the table: a method of a route, its handler, and all that holds for it.

use std::any::type_name;
use std::borrow::Cow;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use common::webhooks::EventType;
use schemars::JsonSchema;

use super::handler::{Body, Described, Signature};
use super::pace::Pace;
use super::schemas::WireType;
use crate::access::Access;
use crate::error::{ApiError, Code};
use crate::limits::Kind;
use crate::openapi::Modes;
use crate::state::ApiState;

/// An operation that language models are given, under a name that they understand.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    pub name: &'static str,
    pub about: &'static str,
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
    /// Whether it is another row at a second address.
    pub is_alias: bool,
    pub handler: MethodRouter<ApiState>,
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    pub about: Option<Cow<'static, str>>,
    pub answers: Vec<(u16, &'static str)>,
    pub empty_answers: Vec<(u16, &'static str)>,
    pub media_types: Vec<(u16, &'static str, &'static str)>,
    pub faults: Vec<u16>,
    pub callbacks: Vec<(&'static str, Modes, &'static [EventType])>,
    pub signature: Signature,
    pub tool: Option<Tool>,
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
    /// A `PATCH`.
    patch PATCH,
    /// A `PUT`.
    put PUT,
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
            is_alias: false,
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
            tool: None,
        }
    }

    /// The group of operations that it is shown in.
    pub fn tagged(mut self, tag: &'static str) -> Self {
        self.tag = tag;
        self
    }

    /// More than the summary says; Markdown.
    pub fn about(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.about = Some(text.into());
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

    /// The events that are sent to the address in that field of the body, and in which forms.
    pub fn calls_back(
        mut self,
        field: &'static str,
        modes: Modes,
        types: &'static [EventType],
    ) -> Self {
        self.callbacks.push((field, modes, types));
        self
    }

    /// Language models are given it under that name.
    pub fn tool(mut self, name: &'static str, about: &'static str) -> Self {
        self.tool = Some(Tool { name, about });
        self
    }

    /// A repeated request with the same `Idempotency-Key` gets the first answer again.
    pub fn replayed(mut self) -> Self {
        self.is_replayed = true;
        self
    }

    /// Another row at a second address, which the document leaves out.
    pub fn alias(mut self) -> Self {
        self.is_alias = true;
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

    /// The form that it takes instead of JSON.
    pub fn takes_form<T: JsonSchema>(mut self) -> Self {
        self.signature.form = Some(WireType::of::<T>());
        self
    }

    /// The query that the handler reads by itself.
    pub fn asks<T: JsonSchema>(mut self) -> Self {
        self.signature.query = Some(WireType::of::<T>());
        self
    }

    /// A header that the handler reads by itself.
    pub fn header(mut self, name: &'static str) -> Self {
        self.signature.headers.push(name);
        self
    }

    /// A good answer in another media type.
    pub fn shows(mut self, status: u16, about: &'static str, media_type: &'static str) -> Self {
        self.media_types.push((status, about, media_type));
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

    /// `HEAD` is refused: a link preview that looks first must not use the link up.
    pub fn without_head(mut self) -> Self {
        self.handler = self.handler.head(refuse_head);
        self
    }

    /// Its body may be larger than others.
    pub fn roomy(mut self) -> Self {
        self.pace = Pace::Roomy;
        self
    }

    /// It is answered whatever else is under way.
    pub fn always(mut self) -> Self {
        self.pace = Pace::Always;
        self
    }

    /// It carries package data.
    pub fn receiving(mut self) -> Self {
        self.pace = Pace::Receiving;
        self
    }

    /// A client may wait for a change.
    pub fn waiting(mut self) -> Self {
        self.pace = Pace::Waiting;
        self
    }
}

async fn refuse_head() -> ApiError {
    ApiError::new(Code::MethodNotAllowed, "This path is for GET.")
}
