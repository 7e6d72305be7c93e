//! A flame graph: a row for each depth, and the longer something took, the wider it is.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::lines::LETTERS;
use super::{Chart, ChartPoint, Theme, described, failed, short};
use crate::commands::Result;
use crate::profile::{Profile, ProfilePart};

/// Pixels of a row, and around all of them.
const ROW: i32 = 24;
const MARGIN: i32 = 12;
/// How wide a letter is at most, so that no name runs out of its place.
const LETTER_WIDTH: i32 = 7;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws where the time went. Rows are as many as needed.
pub(super) fn draw(profile: &Profile, theme: Theme, width: u32) -> Result<Chart> {
    let alternative = tell(profile);
    let rows = i32::try_from(depth(&profile.root)).unwrap_or(i32::MAX / ROW);
    let height = (2 * MARGIN).saturating_add(rows.saturating_mul(ROW));
    let mut svg = String::new();
    let mut points = Vec::new();
    {
        let root = SVGBackend::with_string(&mut svg, (width, height.unsigned_abs()));
        let root = root.into_drawing_area();
        root.fill(&theme.ground()).map_err(failed)?;
        let right = i32::try_from(width).unwrap_or(i32::MAX) - MARGIN;
        let place = Place {
            row: 0,
            left: f64::from(MARGIN),
            right: f64::from(right.max(MARGIN)),
        };
        let mut drawing = Drawing {
            root: &root,
            theme,
            points: &mut points,
        };
        drawing.draw(&profile.root, place, 0)?;
        root.present().map_err(failed)?;
    }
    Ok(Chart {
        svg: described(&svg, &alternative),
        alternative,
        points,
    })
}

struct Drawing<'a, 'b> {
    root: &'a Area<'b>,
    theme: Theme,
    points: &'a mut Vec<ChartPoint>,
}

#[derive(Clone, Copy)]
struct Place {
    row: i32,
    left: f64,
    right: f64,
}

impl Drawing<'_, '_> {
    /// Draws a part in its place, and its own parts under it; `number` is the first colour of a row.
    fn draw(&mut self, part: &ProfilePart, place: Place, number: usize) -> Result<()> {
        let (left, right) = (place.left.round() as i32, place.right.round() as i32);
        if right <= left {
            // Too short to be seen; the text has it.
            return Ok(());
        }
        let top = MARGIN + place.row * ROW;
        let corners = [(left, top), (right - 1, top + ROW - 1)];
        let colour = self.theme.series(number);
        let fill = colour.mix(0.22).filled();
        let rectangle = Rectangle::new(corners, fill);
        self.root.draw(&rectangle).map_err(failed)?;
        let edge = Rectangle::new(corners, colour.stroke_width(1));
        self.root.draw(&edge).map_err(failed)?;
        self.write(&label(part), (left, right), top)?;
        self.points.push(ChartPoint {
            series: part.name.clone(),
            x: format!("{} of the time", percent(part.share)),
            y: Some(part.total_us as f64 / 1e3),
            px: left.midpoint(right),
            py: top + ROW / 2,
        });
        // Parts that went on at once share the place of what they are parts of.
        let inside: u64 = part.parts.iter().map(|part| part.total_us).sum();
        let whole = part.total_us.max(inside).max(1) as f64;
        let scale = (place.right - place.left) / whole;
        let mut from = place.left;
        for (nth, inner) in part.parts.iter().enumerate() {
            let to = from + inner.total_us as f64 * scale;
            let below = Place {
                row: place.row + 1,
                left: from,
                right: to,
            };
            self.draw(inner, below, number + nth + 1)?;
            from = to;
        }
        Ok(())
    }

    /// Writes as much of a label as there is room for.
    fn write(&self, label: &str, (left, right): (i32, i32), top: i32) -> Result<()> {
        let room = usize::try_from((right - left - 10) / LETTER_WIDTH).unwrap_or(0);
        let shown = match label.chars().count() {
            length if length <= room => label.to_owned(),
            _ if room < 4 => return Ok(()),
            _ => label.chars().take(room - 1).chain(['…']).collect(),
        };
        let letters = ("sans-serif", LETTERS).into_font().color(&self.theme.ink());
        let place = (left + 5, top + (ROW - LETTERS) / 2);
        self.root.draw_text(&shown, &letters, place).map_err(failed)
    }
}

fn depth(part: &ProfilePart) -> usize {
    1 + part.parts.iter().map(depth).max().unwrap_or(0)
}

fn label(part: &ProfilePart) -> String {
    format!("{} {} ms", part.name, short(part.total_us as f64 / 1e3))
}

fn percent(share: f64) -> String {
    format!("{} %", short((share * 1_000.0).round() / 10.0))
}

fn tell(profile: &Profile) -> String {
    let root = &profile.root;
    let mut told = format!("Where the time went. {}.", label(root));
    for part in &root.parts {
        told += &format!(" {}, {}.", label(part), percent(part.share));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, total_us: u64, parts: Vec<ProfilePart>) -> ProfilePart {
        ProfilePart {
            name: name.to_owned(),
            runs: 1,
            total_us,
            self_us: 0,
            share: total_us as f64 / 10_000.0,
            parts,
        }
    }

    fn drawn(parts: Vec<ProfilePart>) -> Chart {
        let root = part("search", 10_000, parts);
        let profile = Profile {
            memory_bytes: None,
            root,
        };
        draw(&profile, Theme::Light, 824).unwrap()
    }

    #[test]
    fn a_part_stands_under_its_whole_and_is_as_wide_as_its_share() {
        let inner = part("words", 3_000, Vec::new());
        let chart = drawn(vec![part("database", 6_000, vec![inner])]);
        let places: Vec<_> = chart.points.iter().map(|p| (p.px, p.py)).collect();
        assert_eq!(places, [(412, 24), (252, 48), (132, 72)]);
        assert!(chart.svg.contains("database 6 ms"), "{}", chart.svg);
        assert!(chart.svg.contains("height=\"96\""), "{}", chart.svg);
        assert_eq!(
            chart.alternative,
            "Where the time went. search 10 ms. database 6 ms, 60 %."
        );
    }

    #[test]
    fn parts_that_went_on_at_once_stay_within_their_whole() {
        let both = ["read", "embed"].map(|name| part(name, 10_000, Vec::new()));
        let chart = drawn(both.to_vec());
        let places: Vec<_> = chart.points.iter().map(|p| p.px).collect();
        assert_eq!(places, [412, 212, 612]);
    }

    #[test]
    fn a_name_that_has_no_room_is_cut_or_left_out_and_is_no_markup() {
        let tiny = part("a<b>&c", 100, Vec::new());
        let cut = part("<looking everywhere for it>", 1_200, Vec::new());
        let chart = drawn(vec![cut, tiny]);
        // The words for those who cannot see it have it all the same.
        assert_eq!(chart.svg.matches("a&lt;b&gt;&amp;c").count(), 1);
        assert!(!chart.svg.contains("a<b>"));
        assert!(chart.svg.contains("&lt;looking…") || chart.svg.contains("&lt;looki"));
        assert!(!chart.svg.contains("<looking"));
    }
}
