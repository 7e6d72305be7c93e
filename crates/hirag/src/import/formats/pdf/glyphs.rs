//! Takes down the letters that a page draws.

use hayro_interpret::font::GlyphRun;
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{BezPath, Point, Vec2};
use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, SoftMask,
};

use super::super::{Deadline, Fault, give_up};

/// Letters and other marks of a document at most: ten times those of a Bible.
pub(super) const MOST: usize = 40_000_000;
/// Those of one page; the fullest map has fewer.
const MOST_OF_PAGE: usize = 500_000;

/// A letter on its page; lengths are in points, `y` grows downwards.
#[derive(Debug, Clone)]
pub(super) struct Glyph {
    pub(super) text: String,
    /// Where it begins, on its base line.
    pub(super) from: Point,
    /// Where the next one is expected.
    pub(super) to: Point,
    /// The direction of its base line, of length 1.
    pub(super) along: Vec2,
    /// The height of its font.
    pub(super) size: f64,
}

/// A device that draws nothing. It gives up on a page that draws itself again and again, which would
/// never end.
pub(super) struct Collector {
    glyphs: Vec<Glyph>,
    /// What may still be drawn in the document, and on the page.
    room: usize,
    room_of_page: usize,
    deadline: Deadline,
}

impl Collector {
    pub(super) fn new(room: usize, deadline: Deadline) -> Self {
        Self {
            glyphs: Vec::new(),
            room,
            room_of_page: MOST_OF_PAGE,
            deadline,
        }
    }

    /// The letters in the order in which they were drawn, and what room is left.
    pub(super) fn finish(self) -> (Vec<Glyph>, usize) {
        (self.glyphs, self.room)
    }

    fn spend(&mut self, marks: usize) {
        self.deadline.keep();
        let left = |room: usize| room.checked_sub(marks);
        let (Some(room), Some(room_of_page)) = (left(self.room), left(self.room_of_page)) else {
            give_up(Fault::over_limit(format!(
                "draws more than {MOST_OF_PAGE} marks on a page, or {MOST} in all, which no document does"
            )));
        };
        (self.room, self.room_of_page) = (room, room_of_page);
    }
}

impl Device<'_> for Collector {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, '_>, props: DrawProps<'_>, _: &DrawMode) {
        self.spend(run.glyphs().len().max(1));
        for glyph in run.glyphs() {
            let text = match glyph.as_unicode() {
                Some(BfString::Char(c)) => c.to_string(),
                Some(BfString::String(text)) => text,
                None => continue,
            };
            let place = props.transform * glyph.transform();
            let advance = match &**glyph {
                hayro_interpret::font::Glyph::Outline(outline) => outline.advance_width(),
                hayro_interpret::font::Glyph::Type3(drawn) => drawn.advance_width(),
            };
            let from = place * Point::ZERO;
            let to = place * Point::new(f64::from(advance.unwrap_or(500.0)), 0.0);
            let right = place * Point::new(1_000.0, 0.0) - from;
            let up = place * Point::new(0.0, 1_000.0) - from;
            let along = right / right.hypot();
            if along.is_finite() && to.is_finite() && up.is_finite() {
                self.glyphs.push(Glyph {
                    text,
                    from,
                    to,
                    along,
                    size: up.hypot(),
                });
            }
        }
    }

    fn draw_path(&mut self, _: &BezPath, _: DrawProps<'_>, _: &DrawMode) {
        self.spend(1);
    }

    fn draw_image(&mut self, _: Image<'_, '_>, _: ImageDrawProps<'_>) {
        self.spend(1);
    }

    fn push_clip_path(&mut self, _: &ClipPath) {
        self.spend(1);
    }

    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'_>>, _: BlendMode) {
        self.spend(1);
    }

    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}
