use plotters::style::RGBColor;
use serde::{Deserialize, Serialize};

/// The colours of a chart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    /// The ground of the page's panels, on which a chart stands without an edge.
    pub(super) const fn ground(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(255, 255, 255),
            Self::Dark => RGBColor(29, 29, 27),
        }
    }

    /// Of letters: the page's second ink, since a chart's own lines come first.
    pub(super) const fn ink(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(84, 87, 91),
            Self::Dark => RGBColor(168, 165, 157),
        }
    }

    pub(super) const fn grid(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(230, 229, 223),
            Self::Dark => RGBColor(49, 48, 45),
        }
    }

    /// The colour of the series `number`: told apart by people who see no red or no green, too
    /// (after Okabe and Ito), and at least 3:1 against the ground.
    pub(super) const fn series(self, number: usize) -> RGBColor {
        const LIGHT: [RGBColor; 6] = [
            RGBColor(0, 114, 178),
            RGBColor(213, 94, 0),
            RGBColor(0, 128, 96),
            RGBColor(170, 82, 138),
            RGBColor(130, 108, 0),
            RGBColor(84, 92, 104),
        ];
        const DARK: [RGBColor; 6] = [
            RGBColor(86, 180, 233),
            RGBColor(230, 159, 0),
            RGBColor(43, 196, 160),
            RGBColor(240, 166, 207),
            RGBColor(240, 228, 66),
            RGBColor(174, 182, 192),
        ];
        match self {
            Self::Light => LIGHT[number % LIGHT.len()],
            Self::Dark => DARK[number % DARK.len()],
        }
    }
}
