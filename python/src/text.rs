//! Strings of Python as bytes for the engine, and offsets in characters.
//!
//! The engine searches the UTF-8 form of a `str` and reports offsets in bytes. Python slices a `str` by
//! characters, so offsets are converted. In a string of ASCII both are the same.

use std::borrow::Cow;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// Bytes of text for each of which the number of characters before it is stored. A conversion counts
/// the characters of half as many bytes on average.
const BLOCK: usize = 64;

/// Converts offsets of a text from bytes to characters.
pub(crate) struct CharOffsets<'t> {
    text: &'t [u8],
    /// The number of characters that begin before each block. Empty for ASCII.
    blocks: Vec<usize>,
}

impl<'t> CharOffsets<'t> {
    /// Takes one pass over the text, which must be UTF-8, for offsets to be right.
    pub(crate) fn new(text: &'t (impl AsRef<[u8]> + ?Sized)) -> CharOffsets<'t> {
        let text = text.as_ref();
        let mut blocks = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for block in text.chunks(BLOCK) {
                blocks.push(count);
                count += begin_in(block);
            }
            blocks.push(count);
        }
        CharOffsets { text, blocks }
    }

    /// Leaves offsets in bytes as they are.
    pub(crate) fn none() -> CharOffsets<'t> {
        // As for ASCII.
        CharOffsets { text: &[], blocks: Vec::new() }
    }

    /// The span in characters of a span in bytes, extended to whole characters. `None` for an empty one
    /// inside a character, where no slice of a `str` begins.
    pub(crate) fn span(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        let span = (self.start(start), self.end(end));
        (start < end || span.0 == span.1).then_some(span)
    }

    /// The number of the character that contains byte `at`.
    pub(crate) fn start(&self, at: usize) -> usize {
        // A pattern without Unicode may match from the middle of a character.
        let inside = self.text.get(at).is_some_and(|&byte| is_continuation(byte));
        self.end(at) - usize::from(inside)
    }

    /// The number of characters that begin before byte `at`.
    pub(crate) fn end(&self, at: usize) -> usize {
        match self.blocks.get(at / BLOCK) {
            None => at,
            Some(count) => count + begin_in(&self.text[at / BLOCK * BLOCK..at]),
        }
    }
}

/// The number of characters that begin in a part of a text.
fn begin_in(part: &[u8]) -> usize {
    part.iter().filter(|&&byte| !is_continuation(byte)).count()
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// A `str` or a `bytes`.
#[derive(Clone)]
pub(crate) enum Text<'py> {
    Str(Bound<'py, PyString>),
    Bytes(Bound<'py, PyBytes>),
}

impl<'py> Text<'py> {
    pub(crate) fn new(object: &Bound<'py, PyAny>) -> PyResult<Text<'py>> {
        if let Ok(text) = object.cast::<PyString>() {
            Ok(Text::Str(text.clone()))
        } else if let Ok(bytes) = object.cast::<PyBytes>() {
            Ok(Text::Bytes(bytes.clone()))
        } else {
            let found = object.get_type().qualname()?;
            Err(PyTypeError::new_err(format!("expected str or bytes, not {found}")))
        }
    }

    /// The text in UTF-8, or the bytes. A `str` is copied.
    pub(crate) fn bytes(&self) -> PyResult<Cow<'_, [u8]>> {
        match self {
            Text::Str(text) => Ok(match text.to_cow()? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            }),
            Text::Bytes(bytes) => Ok(Cow::Borrowed(bytes.as_bytes())),
        }
    }

    /// The offsets that slices of this object have.
    pub(crate) fn offsets<'t>(&self, bytes: &'t [u8]) -> CharOffsets<'t> {
        match self {
            Text::Str(_) => CharOffsets::new(bytes),
            Text::Bytes(_) => CharOffsets::none(),
        }
    }

    pub(crate) fn as_any(&self) -> &Bound<'py, PyAny> {
        match self {
            Text::Str(text) => text.as_any(),
            Text::Bytes(bytes) => bytes.as_any(),
        }
    }
}
