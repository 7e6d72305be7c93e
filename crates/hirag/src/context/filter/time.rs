//! Points in time as people write them.

use jiff::Timestamp;

/// A point in time from text: RFC 3339, a civil time (taken as UTC), or a date (its first moment).
///
/// # Errors
/// A sentence that shows the forms.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Ok(stamp);
    }
    let civil = text
        .parse::<jiff::civil::DateTime>()
        .or_else(|_| text.parse::<jiff::civil::Date>().map(Into::into));
    civil
        .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
        .map(|zoned| zoned.timestamp())
        .map_err(|_| {
            format!("`{text}` is not a time; write 2026-01-31, 2026-01-31T12:00:00 or 2026-01-31T12:00:00Z")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_three_forms() {
        let expected = "2026-01-31T00:00:00Z".parse().unwrap();
        for text in [
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-01-31T01:00:00+01:00",
        ] {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
    }
}
