//! What the signature of a handler says of its operation: each extractor what it takes, the answer what it is.

use axum::Extension;
use axum::extract::{OriginalUri, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use bytes::Bytes;
use schemars::JsonSchema;

use super::schemas::WireType;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};

/// What an operation takes and gives.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    /// Headers, by their names among the components of the document.
    pub headers: Vec<&'static str>,
    pub query: Option<WireType>,
    pub body: Option<Body>,
    /// The form that it takes instead of a JSON body.
    pub form: Option<WireType>,
    /// What a dry run answers, if it takes `?dryRun=true`.
    pub dry_run: Option<WireType>,
    /// The data of its good answers.
    pub data: Option<WireType>,
    /// The same, without our envelope.
    pub bare: Option<WireType>,
    /// Whether it answers 304 to who knows the answer.
    pub is_tagged: bool,
}

/// A JSON body.
#[derive(Debug, Clone, Copy)]
pub struct Body {
    pub wire: WireType,
    pub is_required: bool,
}

/// What a handler takes from a request.
pub trait Input {
    /// By itself it says nothing.
    fn describe(_: &mut Signature) {}
}

/// What a handler answers.
pub trait Output {
    fn describe(signature: &mut Signature);
}

/// A handler, whose arguments and answer describe its operation.
pub trait Described<Arguments> {
    fn signature() -> Signature;
}

macro_rules! described {
    ($($argument:ident),*) => {
        impl<Function, Answered, Given, Marker, $($argument: Input),*> Described<(Marker, $($argument,)*)> for Function
        where
            Function: FnOnce($($argument),*) -> Answered,
            Answered: Future<Output = Given>,
            Given: Output,
        {
            fn signature() -> Signature {
                let mut signature = Signature::default();
                $($argument::describe(&mut signature);)*
                Given::describe(&mut signature);
                signature
            }
        }
    };
}

impl<Function, Answered, Given> Described<((),)> for Function
where
    Function: FnOnce() -> Answered,
    Answered: Future<Output = Given>,
    Given: Output,
{
    fn signature() -> Signature {
        let mut signature = Signature::default();
        Given::describe(&mut signature);
        signature
    }
}

described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);
described!(A, B, C, D, E, F);
described!(A, B, C, D, E, F, G);
described!(A, B, C, D, E, F, G, H);

impl<T> Input for State<T> {}
impl<T> Input for Extension<T> {}
impl Input for HeaderMap {}
impl Input for OriginalUri {}
impl Input for Method {}
impl Input for Bytes {}
impl Input for Request {}
/// The names of its parts stand in the path.
impl<T> Input for Path<T> {}

impl<A: Input, B: Input> Input for (A, B) {
    fn describe(signature: &mut Signature) {
        A::describe(signature);
        B::describe(signature);
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(signature: &mut Signature) {
        signature.query = Some(WireType::of::<T>());
    }
}

impl<T: JsonSchema> Input for Json<T> {
    fn describe(signature: &mut Signature) {
        signature.body = Some(Body {
            wire: WireType::of::<T>(),
            is_required: true,
        });
    }
}

impl<T: JsonSchema> Input for Option<Json<T>> {
    fn describe(signature: &mut Signature) {
        signature.body = Some(Body {
            wire: WireType::of::<T>(),
            is_required: false,
        });
    }
}

impl<T: Output> Output for Result<T, ApiError> {
    fn describe(signature: &mut Signature) {
        T::describe(signature);
    }
}

/// An answer that is no JSON of ours: the table says what it is.
impl Output for Response {
    fn describe(_: &mut Signature) {}
}
