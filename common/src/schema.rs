//! Schemas of types that are one value on the wire.

#[doc(hidden)]
#[macro_export]
macro_rules! __inline_schema {
    ($name:ident, $schema:tt) => {
        impl ::schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut ::schemars::SchemaGenerator) -> ::schemars::Schema {
                ::schemars::json_schema!($schema)
            }
        }
    };
}

/// Gives a type a JSON Schema that stands wherever the type does, and has no name of its own.
pub use __inline_schema as inline_schema;
