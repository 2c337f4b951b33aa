//! A codec that cannot fail to decode, because one undecodable payload ends an apalis worker
//! together with the whole batch it came in.

use apalis_core::backend::codec::Codec;

use super::wake::Wake;

/// A payload, read as far as it could be.
#[derive(Debug)]
pub(super) enum Envelope {
    Wake(Wake),
    Undecodable { bytes: Vec<u8>, error: String },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct LenientJson;

impl Codec<Envelope> for LenientJson {
    type Error = serde_json::Error;
    type Compact = Vec<u8>;

    fn encode(&self, envelope: &Envelope) -> Result<Vec<u8>, Self::Error> {
        match envelope {
            Envelope::Wake(wake) => serde_json::to_vec(wake),
            Envelope::Undecodable { bytes, .. } => Ok(bytes.clone()),
        }
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<Envelope, Self::Error> {
        Ok(match serde_json::from_slice(bytes) {
            Ok(wake) => Envelope::Wake(wake),
            Err(error) => Envelope::Undecodable {
                bytes: bytes.clone(),
                error: error.to_string(),
            },
        })
    }
}
