//! The elements of a JSON list that is larger than memory.

use std::io::{self, BufRead};

use serde::de::DeserializeOwned;

/// Bytes of one element at most: a long conversation has a few million.
pub(super) const MAX_ELEMENT: usize = 64 << 20;

/// Where the list is.
const KEYS: [&[u8]; 4] = [b"results", b"memories", b"conversations", b"data"];

/// An element of the list.
pub(super) struct Element {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Its bytes, or how many more than allowed it has at least.
    pub(super) json: Result<Vec<u8>, TooLarge>,
}

/// An element that is over [`MAX_ELEMENT`].
#[derive(Debug, PartialEq)]
pub(super) struct TooLarge;

impl Element {
    /// What it says, or why that cannot be read, as a code and a sentence.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, (&'static str, String)> {
        match &self.json {
            Err(TooLarge) => Err((
                "entry_too_large",
                format!("entry {} has more than {MAX_ELEMENT} bytes", self.number),
            )),
            Ok(json) => serde_json::from_slice(json).map_err(|error| {
                let sentence = format!("entry {} cannot be read: {error}", self.number);
                ("invalid_json", sentence)
            }),
        }
    }
}

/// Splits a list into its elements by their brackets and quotes alone, so that one that is broken
/// spoils no other. The list stands by itself, or in an object under one of [`KEYS`].
pub(super) struct Elements<R> {
    input: R,
    number: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Before,
    Inside,
    Ended,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn new(input: R) -> Self {
        let (number, state) = (0, State::Before);
        Self {
            input,
            number,
            state,
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Passes over white space and what `also` names.
    fn skip(&mut self, also: &[u8]) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() || also.contains(&byte) => {
                    self.input.consume(1);
                }
                other => return Ok(other),
            }
        }
    }

    /// Goes to the first element; `false` if there is no list.
    fn enter(&mut self) -> io::Result<bool> {
        // A byte order mark is no white space.
        match self.skip(b"\xef\xbb\xbf")? {
            Some(b'[') => {
                self.input.consume(1);
                return Ok(true);
            }
            Some(b'{') => self.input.consume(1),
            _ => return Ok(false),
        }
        while self.skip(b",")? == Some(b'"') {
            let mut key = Vec::new();
            self.value(&mut key)?;
            let key = key.strip_prefix(b"\"").and_then(|k| k.strip_suffix(b"\""));
            let wanted = key.is_some_and(|key| KEYS.contains(&key));
            match self.skip(b":")? {
                Some(b'[') if wanted => {
                    self.input.consume(1);
                    return Ok(true);
                }
                _ => drop(self.value(&mut Vec::new())?),
            }
        }
        Ok(false)
    }

    /// Reads a value into `json`, of which no more than one byte over the limit is kept. Ends at the
    /// comma or bracket behind it. `false` if the input ended before.
    fn value(&mut self, json: &mut Vec<u8>) -> io::Result<bool> {
        let (mut depth, mut text, mut escaped) = (0_usize, false, false);
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(false);
            }
            let mut used = buffer.len();
            let mut ended = false;
            for (at, &byte) in buffer.iter().enumerate() {
                if text {
                    text = escaped || byte != b'"';
                    escaped = !escaped && byte == b'\\';
                    continue;
                }
                match byte {
                    b'"' => text = true,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' if depth > 0 => depth -= 1,
                    b'}' | b']' | b',' | b':' if depth == 0 => {
                        (used, ended) = (at, true);
                        break;
                    }
                    _ => {}
                }
            }
            let room = (MAX_ELEMENT + 1).saturating_sub(json.len());
            json.extend_from_slice(&buffer[..used.min(room)]);
            self.input.consume(used);
            if ended {
                return Ok(true);
            }
        }
    }

    fn next_element(&mut self) -> io::Result<Option<Element>> {
        if self.state == State::Before {
            if !self.enter()? {
                return Err(io::Error::other("there is no list of entries in it"));
            }
            self.state = State::Inside;
        }
        // A stray bracket or colon of a broken element ends nothing but itself.
        match self.skip(b",:}")? {
            Some(b']') | None => return Ok(None),
            Some(_) => {}
        }
        self.number += 1;
        let mut json = Vec::new();
        let whole = self.value(&mut json)?;
        if !whole {
            self.state = State::Ended;
        }
        let json = match json.len() {
            bytes if bytes > MAX_ELEMENT => Err(TooLarge),
            _ => Ok(json),
        };
        let number = self.number;
        Ok(Some(Element { number, json }))
    }
}

impl<R: BufRead> Iterator for Elements<R> {
    type Item = io::Result<Element>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Ended {
            return None;
        }
        let next = self.next_element();
        if !matches!(next, Ok(Some(_))) {
            self.state = State::Ended;
        }
        next.transpose()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, buffer: usize) -> Vec<(u64, String)> {
        let input = io::BufReader::with_capacity(buffer, text.as_bytes());
        Elements::new(input)
            .map(|element| element.unwrap())
            .map(|element| {
                let json = String::from_utf8_lossy(&element.json.unwrap())
                    .trim()
                    .to_owned();
                (element.number, json)
            })
            .collect()
    }

    #[test]
    fn elements_are_told_apart_wherever_the_list_stands() {
        let list = r#" [ {"a": "]}\",", "b": [1, {}]}, null , "x", {"broken": } , 7 ] "#;
        let elements = [
            (1, r#"{"a": "]}\",", "b": [1, {}]}"#.to_owned()),
            (2, "null".to_owned()),
            (3, "\"x\"".to_owned()),
            (4, "{\"broken\": }".to_owned()),
            (5, "7".to_owned()),
        ];
        for buffer in [1, 3, 4096] {
            assert_eq!(read(list, buffer), elements);
            let wrapped = format!(
                "\u{feff}{{\"n\": {{\"results\": [0]}}, \"results\": {list}, \"data\": []}}"
            );
            assert_eq!(read(&wrapped, buffer), elements);
        }
        assert_eq!(read("[]", 8), []);
        assert_eq!(
            read("[{\"cut\": \"of", 8),
            [(1, "{\"cut\": \"of".to_owned())]
        );
        for none in ["", "7", "{}", "{\"a\": [1]}"] {
            assert!(Elements::new(none.as_bytes()).next().unwrap().is_err());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(prop_oneof![Just(b'['), Just(b'"'), Just(b'\\'), Just(b','), Just(b']'), any::<u8>()], 0..200)) {
            prop_assert!(Elements::new(bytes.as_slice()).count() <= bytes.len() + 1);
        }
    }
}
