//! Server-sent events, as the standard reads them: fields that nobody knows are passed over, and an
//! event is there when its blank line is. Unlike the libraries for it, it bounds what an endpoint can
//! make us hold.

use std::collections::VecDeque;

/// Bytes of an event, or of a line, at most.
pub(super) const EVENT_BYTES: usize = 1_048_576;

/// An event is longer than [`EVENT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong;

/// Bytes as they come, to the data of events.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    /// The data lines of the event that has begun, each with its line end.
    data: Vec<u8>,
    /// Whether the last byte was a carriage return, which a line feed belongs to.
    returned: bool,
    begun: bool,
    ready: VecDeque<Vec<u8>>,
}

impl Events {
    /// Takes the next bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        for &byte in bytes {
            let after_return = std::mem::take(&mut self.returned);
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => {
                    self.returned = byte == b'\r';
                    self.end_line();
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.len() > EVENT_BYTES {
                return Err(TooLong);
            }
        }
        Ok(())
    }

    /// The data of the next event that is complete; never empty.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    fn end_line(&mut self) {
        const BOM: &[u8] = b"\xef\xbb\xbf";
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix(BOM).unwrap_or(line);
        }
        if line.is_empty() {
            let mut data = std::mem::take(&mut self.data);
            // The end of the last line is none of the data.
            data.pop();
            if !data.is_empty() {
                self.ready.push_back(data);
            }
            return;
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        if field == b"data" {
            let value = value.strip_prefix(b" ").unwrap_or(value);
            self.data.extend_from_slice(value);
            self.data.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
        let mut events = Events::default();
        let mut read = Vec::new();
        for chunk in chunks {
            events.feed(chunk).unwrap();
            while let Some(data) = events.next() {
                read.push(String::from_utf8(data).unwrap());
            }
        }
        read
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        for (text, expected) in [
            ("data: a\n\ndata:b\r\n\r\ndata: c\r\r", vec!["a", "b", "c"]),
            ("data: a\ndata:  b\n\n", vec!["a\n b"]),
            ("\u{feff}data: a\n\n", vec!["a"]),
            (
                ": sign of life\n\nevent: x\nid: 7\ndata: a\nnew: y\n\n",
                vec!["a"],
            ),
            ("event: x\n\ndata\n\ndata: a\n\n", vec!["a"]),
            ("data: never ended", vec![]),
        ] {
            assert_eq!(read([text.as_bytes()]), expected, "{text:?}");
        }
    }

    #[test]
    fn a_line_and_an_event_without_end_are_given_up() {
        let long = vec![b'x'; EVENT_BYTES + 1];
        assert_eq!(Events::default().feed(&long), Err(TooLong));
        let lines = b"data: x\n".repeat(EVENT_BYTES);
        assert_eq!(Events::default().feed(&lines), Err(TooLong));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_bytes_come(
            lines in prop::collection::vec(("(data|event|:)?", ":?", " ?[a-zé]{0,5}", "\n|\r|\r\n"), 0..30),
            cuts in prop::collection::vec(1usize..9, 1..40),
        ) {
            let text: String = lines.iter().map(|(a, b, c, d)| format!("{a}{b}{c}{d}")).collect();
            let mut rest = text.as_bytes();
            let mut chunks = Vec::new();
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, tail) = rest.split_at((*cut).min(rest.len()));
                chunks.push(chunk);
                rest = tail;
            }
            prop_assert_eq!(read(chunks), read([text.as_bytes()]));
        }

        #[test]
        fn what_is_written_as_events_is_read_again(texts in prop::collection::vec("[^\r\n]{1,20}(\n[^\r\n]{0,9})?", 0..8)) {
            let written: String = texts
                .iter()
                .map(|text| format!("data: {}\n\n", text.replace('\n', "\ndata: ")))
                .collect();
            prop_assert_eq!(read([written.as_bytes()]), texts);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Events::default().feed(&bytes);
        }
    }
}
