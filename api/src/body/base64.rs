//! Incremental base64: text in pieces of any length, bytes out in blocks of one size.
//!
//! Guarantees: standard alphabet, padding required, canonical (a value has one spelling); memory is
//! one block; blocks and errors depend on the text alone, never on how it was cut into pieces.
//! Does not know JSON: escapes are resolved before the text arrives here.

use std::fmt::{self, Debug, Formatter};

use base64_simd::{Out, STANDARD};

use super::error::Base64Reason;

/// Decoded bytes per block: what 64 KiB of text hold. A multiple of three (whole groups) and of 64
/// (whole SHA-256 blocks).
pub const BLOCK_BYTES: usize = 48 * 1024;

/// Characters per group, and the bytes they hold.
const GROUP_CHARACTERS: usize = 4;
const GROUP_BYTES: usize = 3;

/// The first fault of a text; `offset` counts its characters from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Base64Fault {
    pub offset: u64,
    pub reason: Base64Reason,
}

/// A decoder with one block of output. After an error, drop it.
pub struct Base64Decoder {
    block: Box<[u8]>,
    filled_bytes: usize,
    carry: [u8; GROUP_CHARACTERS],
    carry_length: usize,
    /// Characters decoded so far, without the carry.
    offset: u64,
    padded: bool,
}

impl Debug for Base64Decoder {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        out.debug_struct("Base64Decoder")
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl Default for Base64Decoder {
    fn default() -> Self {
        Self {
            block: vec![0; BLOCK_BYTES].into_boxed_slice(),
            filled_bytes: 0,
            carry: [0; GROUP_CHARACTERS],
            carry_length: 0,
            offset: 0,
            padded: false,
        }
    }
}

impl Base64Decoder {
    /// Decodes the whole of `text`, handing on each block as it fills.
    pub fn push<E: From<Base64Fault>>(
        &mut self,
        mut text: &[u8],
        mut on_block: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !text.is_empty() {
            let used = self.fill(text)?;
            text = &text[used..];
            if self.filled_bytes == BLOCK_BYTES {
                self.filled_bytes = 0;
                on_block(&self.block)?;
            }
        }
        Ok(())
    }

    /// Ends the text, hands on the last block (never an empty one) and is ready for the next text.
    pub fn finish<E: From<Base64Fault>>(
        &mut self,
        on_block: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.carry_length > 0 {
            let fault = diagnose(&self.carry[..self.carry_length]);
            return Err(self.fault(fault).into());
        }
        let filled_bytes = std::mem::take(&mut self.filled_bytes);
        self.offset = 0;
        self.padded = false;
        match filled_bytes {
            0 => Ok(()),
            _ => on_block(&self.block[..filled_bytes]),
        }
    }

    /// Characters taken so far.
    pub fn offset(&self) -> u64 {
        self.offset + self.carry_length as u64
    }

    /// Decodes a prefix of `text`, at most to the end of the block, and returns its length.
    fn fill(&mut self, text: &[u8]) -> Result<usize, Base64Fault> {
        if self.padded {
            return Err(self.fault((0, Base64Reason::DataAfterPadding)));
        }
        if self.carry_length > 0 || text.len() < GROUP_CHARACTERS {
            let used = text.len().min(GROUP_CHARACTERS - self.carry_length);
            self.carry[self.carry_length..][..used].copy_from_slice(&text[..used]);
            self.carry_length += used;
            if self.carry_length == GROUP_CHARACTERS {
                self.carry_length = 0;
                self.decode(&{ self.carry })?;
            }
            return Ok(used);
        }
        let room_groups = (BLOCK_BYTES - self.filled_bytes) / GROUP_BYTES;
        let groups = room_groups.min(text.len() / GROUP_CHARACTERS);
        let used = groups * GROUP_CHARACTERS;
        self.decode(&text[..used])?;
        Ok(used)
    }

    /// Decodes whole groups that fit the block.
    fn decode(&mut self, groups: &[u8]) -> Result<(), Base64Fault> {
        let room = Out::from_slice(&mut self.block[self.filled_bytes..]);
        match STANDARD.decode(groups, room) {
            Ok(decoded) => self.filled_bytes += decoded.len(),
            Err(_) => return Err(self.fault(diagnose(groups))),
        }
        self.padded = groups.last() == Some(&b'=');
        self.offset += groups.len() as u64;
        Ok(())
    }

    fn fault(&self, (index, reason): (usize, Base64Reason)) -> Base64Fault {
        Base64Fault {
            offset: self.offset + index as u64,
            reason,
        }
    }
}

/// Finds the first fault of a text that does not decode, group by group.
fn diagnose(text: &[u8]) -> (usize, Base64Reason) {
    for (number, group) in text.chunks(GROUP_CHARACTERS).enumerate() {
        let start = number * GROUP_CHARACTERS;
        if let Some((index, reason)) = diagnose_group(group) {
            return (start + index, reason);
        }
        if group.ends_with(b"=") {
            return (start + group.len(), Base64Reason::DataAfterPadding);
        }
    }
    (text.len(), Base64Reason::MissingPadding)
}

/// The fault of one group, if it has one; a group cut short is judged by what is there.
fn diagnose_group(group: &[u8]) -> Option<(usize, Base64Reason)> {
    for (index, &byte) in group.iter().enumerate() {
        let reason = match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => continue,
            b'=' if index == 3 || (index == 2 && group.get(3).is_none_or(|&next| next == b'=')) => {
                continue;
            }
            b'=' => Base64Reason::MisplacedPadding,
            b'-' | b'_' => Base64Reason::UrlSafeAlphabet(byte),
            b' ' | b'\t' | b'\r' | b'\n' => Base64Reason::WhiteSpace,
            _ => Base64Reason::Character(byte),
        };
        return Some((index, reason));
    }
    if group.len() < GROUP_CHARACTERS {
        return Some((group.len(), Base64Reason::MissingPadding));
    }
    let last = group
        .iter()
        .position(|&byte| byte == b'=')?
        .checked_sub(1)?;
    let canonical = STANDARD.check(group).is_ok();
    (!canonical).then_some((last, Base64Reason::NonCanonical))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as REFERENCE;
    use proptest::prelude::*;

    use super::*;

    /// Decodes `pieces` and returns the blocks.
    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Vec<u8>>, Base64Fault> {
        let mut decoder = Base64Decoder::default();
        let mut blocks = Vec::new();
        for piece in pieces {
            decoder.push(piece, |block| {
                blocks.push(block.to_vec());
                Ok::<_, Base64Fault>(())
            })?;
        }
        decoder.finish(|block| {
            blocks.push(block.to_vec());
            Ok::<_, Base64Fault>(())
        })?;
        Ok(blocks)
    }

    fn reason_at(text: &str) -> (u64, Base64Reason) {
        let fault = decode([text.as_bytes()]).unwrap_err();
        (fault.offset, fault.reason)
    }

    #[test]
    fn every_fault_is_named_at_its_character() {
        use Base64Reason::*;
        assert_eq!(reason_at("AAAA-AAA"), (4, UrlSafeAlphabet(b'-')));
        assert_eq!(reason_at("AAA_"), (3, UrlSafeAlphabet(b'_')));
        assert_eq!(reason_at("AAAA\nAAA"), (4, WhiteSpace));
        assert_eq!(reason_at("AAAAA\0AA"), (5, Character(0)));
        assert_eq!(reason_at("AAAA=AAA"), (4, MisplacedPadding));
        assert_eq!(reason_at("AA=A"), (2, MisplacedPadding));
        assert_eq!(reason_at("="), (0, MisplacedPadding));
        assert_eq!(reason_at("AA==AAAA"), (4, DataAfterPadding));
        assert_eq!(reason_at("AAA=\n"), (4, DataAfterPadding));
        assert_eq!(reason_at("AAAAAA"), (6, MissingPadding));
        assert_eq!(reason_at("AA="), (3, MissingPadding));
        assert_eq!(reason_at("AB=="), (1, NonCanonical));
        assert_eq!(reason_at("AAAAAAB="), (6, NonCanonical));
    }

    #[test]
    fn a_byte_is_accepted_at_any_place_exactly_if_the_reference_accepts_it() {
        for place in 0..80 {
            for byte in 0..=u8::MAX {
                let mut text = [b'A'; 80];
                text[place] = byte;
                let ours = decode([&text[..]]).map(|blocks| blocks.concat());
                assert_eq!(ours.ok(), REFERENCE.decode(text).ok(), "{byte} at {place}");
            }
        }
    }

    #[test]
    fn blocks_are_full_but_for_the_last_however_the_text_is_cut() {
        let bytes: Vec<u8> = (0..2 * BLOCK_BYTES + 5).map(|i| (i % 251) as u8).collect();
        let text = REFERENCE.encode(&bytes);
        for piece_length in [1, 3, 4, 1000, 65_536, text.len()] {
            let blocks = decode(text.as_bytes().chunks(piece_length)).unwrap();
            let lengths: Vec<usize> = blocks.iter().map(Vec::len).collect();
            assert_eq!(lengths, [BLOCK_BYTES, BLOCK_BYTES, 5]);
            assert_eq!(blocks.concat(), bytes);
        }
    }

    #[test]
    fn a_finished_decoder_starts_afresh() {
        let mut decoder = Base64Decoder::default();
        for _ in 0..2 {
            let mut last = Vec::new();
            decoder.push::<Base64Fault>(b"AQ==", |_| Ok(())).unwrap();
            assert_eq!(decoder.offset(), 4);
            decoder
                .finish(|block| {
                    last = block.to_vec();
                    Ok::<_, Base64Fault>(())
                })
                .unwrap();
            assert_eq!(last, [1]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn any_text_in_any_pieces_decodes_as_the_strict_reference_does(
            text in prop_oneof![
                "[A-Za-z0-9+/]{0,90}={0,3}",
                "[AB+/=_ -]{0,9}",
                proptest::collection::vec(any::<u8>(), 0..200)
                    .prop_map(|bytes| REFERENCE.encode(bytes)),
            ],
            piece_length in 1_usize..20,
        ) {
            let whole = decode([text.as_bytes()]);
            prop_assert_eq!(&whole, &decode(text.as_bytes().chunks(piece_length)));
            prop_assert_eq!(whole.ok().map(|blocks| blocks.concat()), REFERENCE.decode(&text).ok());
        }
    }
}
