//! How much load, for how long, of what.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{LoadError, Operation, Share, mix};

/// Which queries searches ask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "LoadQueries")]
pub enum Queries {
    /// A few, again and again, so that their vectors come from the cache.
    #[default]
    Repeated,
    /// Each for the first time, so that each must be embedded.
    Fresh,
}

/// A run to make.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields = nullable)]
pub struct LoadPlan {
    /// Clients at once, each with its connection, 1 to 10000. In an open loop, the requests that may
    /// be under way at once.
    pub concurrency: u32,
    /// Seconds that are measured, to 86400.
    pub duration_s: f64,
    /// Seconds before them that are not counted, to 3600.
    #[serde(default)]
    #[ts(as = "Option<f64>", optional)]
    pub warm_up_s: f64,
    /// Requests a second of an open loop, 0.001 to 1000000; `None` is a closed loop.
    #[serde(default)]
    pub rate: Option<f64>,
    /// What is asked for.
    #[serde(default = "searches")]
    #[ts(as = "Option<Vec<Share>>", optional)]
    pub mix: Vec<Share>,
    /// Which queries searches ask.
    #[serde(default)]
    #[ts(as = "Option<Queries>", optional)]
    pub queries: Queries,
    /// Seconds after which a request has failed, to 600.
    #[serde(default = "patience")]
    #[ts(as = "Option<f64>", optional)]
    pub time_out_s: f64,
    /// What queries, texts and the order of operations are made from: the same gives the same.
    /// `None` is another one each time.
    #[serde(default)]
    pub seed: Option<u32>,
}

fn searches() -> Vec<Share> {
    vec![Share {
        operation: Operation::Search,
        weight: 1,
    }]
}

const fn patience() -> f64 {
    30.0
}

impl LoadPlan {
    /// A closed loop of searches for the same few queries, without warm-up.
    #[must_use]
    pub fn new(concurrency: u32, duration_s: f64) -> Self {
        Self {
            concurrency,
            duration_s,
            warm_up_s: 0.0,
            rate: None,
            mix: searches(),
            queries: Queries::default(),
            time_out_s: patience(),
            seed: None,
        }
    }

    /// Refuses what cannot be run.
    ///
    /// # Errors
    /// [`LoadError::OutOfRange`], [`LoadError::BadMix`].
    pub fn validate(&self) -> Result<(), LoadError> {
        let require = |fits: bool, key, value: String, rule| match fits {
            true => Ok(()),
            false => Err(LoadError::OutOfRange { key, value, rule }),
        };
        // What is no number is in no range, either.
        let positive = |value: f64, most: f64| value > 0.0 && value <= most;
        require(
            (1..=10_000).contains(&self.concurrency),
            "concurrency",
            self.concurrency.to_string(),
            "must be between 1 and 10000",
        )?;
        require(
            positive(self.duration_s, 86_400.0),
            "duration",
            self.duration_s.to_string(),
            "must be more than 0 seconds and at most 86400",
        )?;
        require(
            (0.0..=3_600.0).contains(&self.warm_up_s),
            "warm-up",
            self.warm_up_s.to_string(),
            "must be between 0 and 3600 seconds",
        )?;
        require(
            self.rate.is_none_or(|rate| (1e-3..=1e6).contains(&rate)),
            "rate",
            self.rate.unwrap_or_default().to_string(),
            "must be between 0.001 and 1000000 requests a second",
        )?;
        require(
            positive(self.time_out_s, 600.0),
            "time-out",
            self.time_out_s.to_string(),
            "must be more than 0 seconds and at most 600",
        )?;
        mix::check(&self.mix)
    }

    pub(super) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.duration_s)
    }

    pub(super) fn warm_up(&self) -> Duration {
        Duration::from_secs_f64(self.warm_up_s)
    }

    pub(super) fn time_out(&self) -> Duration {
        Duration::from_secs_f64(self.time_out_s)
    }

    /// The mix as it is written on the command line.
    #[must_use]
    pub fn mix_told(&self) -> String {
        mix::told(&self.mix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_says_what_it_needs_and_the_rest_has_defaults() {
        let plan: LoadPlan =
            serde_json::from_str(r#"{"concurrency": 10, "duration_s": 5}"#).unwrap();
        assert_eq!(plan, LoadPlan::new(10, 5.0));
        plan.validate().unwrap();
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_their_rule() {
        let good = || LoadPlan::new(10, 5.0);
        let bad = [
            (
                LoadPlan {
                    concurrency: 0,
                    ..good()
                },
                "concurrency is 0",
            ),
            (
                LoadPlan {
                    concurrency: 10_001,
                    ..good()
                },
                "10001",
            ),
            (
                LoadPlan {
                    duration_s: 0.0,
                    ..good()
                },
                "duration is 0",
            ),
            (
                LoadPlan {
                    duration_s: f64::NAN,
                    ..good()
                },
                "duration is NaN",
            ),
            (
                LoadPlan {
                    duration_s: 86_401.0,
                    ..good()
                },
                "86401",
            ),
            (
                LoadPlan {
                    warm_up_s: -1.0,
                    ..good()
                },
                "warm-up is -1",
            ),
            (
                LoadPlan {
                    rate: Some(0.0),
                    ..good()
                },
                "rate is 0",
            ),
            (
                LoadPlan {
                    rate: Some(f64::INFINITY),
                    ..good()
                },
                "rate is inf",
            ),
            (
                LoadPlan {
                    time_out_s: 0.0,
                    ..good()
                },
                "time-out is 0",
            ),
        ];
        for (plan, words) in bad {
            let error = plan.validate().unwrap_err();
            assert_eq!(error.code(), "invalid_load");
            assert!(error.to_string().contains(words), "{error}");
        }
        let none = LoadPlan {
            mix: Vec::new(),
            ..good()
        };
        assert_eq!(none.validate().unwrap_err().code(), "invalid_mix");
    }
}
