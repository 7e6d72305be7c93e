//! Reading and checking what the endpoint answers.

use serde::Deserialize;

use crate::embedding::Vector;

#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    /// Left out by some servers, which then keep the order.
    index: Option<usize>,
    /// `null` is how some servers write what is not a number.
    embedding: Vec<Option<f32>>,
}

/// One vector, or what is wrong with it.
pub(super) type Checked = Result<Vector, String>;

/// The vectors for `count` texts in the texts' order, each of length 1.
///
/// `dimension` is what every vector must have; without it, what the first of them has. The outer
/// error says what is wrong with the answer as a whole, or with every vector in it.
pub(super) fn read(
    body: &[u8],
    count: usize,
    dimension: Option<usize>,
) -> Result<Vec<Checked>, String> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|e| format!("not the expected JSON: {e}"))?;
    if answer.data.len() != count {
        return Err(format!("{} vectors for {count} texts", answer.data.len()));
    }
    let items = in_order(answer.data)?;
    let dimension = dimension.or_else(|| items.first().map(Vec::len));
    let checked: Vec<Checked> = items
        .into_iter()
        .map(|item| check(&item, dimension.unwrap_or_default()))
        .collect();
    match checked.first() {
        Some(Err(reason)) if checked.iter().all(Result::is_err) => Err(reason.clone()),
        _ => Ok(checked),
    }
}

fn in_order(items: Vec<Item>) -> Result<Vec<Vec<Option<f32>>>, String> {
    if items.iter().all(|item| item.index.is_none()) {
        return Ok(items.into_iter().map(|item| item.embedding).collect());
    }
    let mut places: Vec<Option<Vec<Option<f32>>>> = items.iter().map(|_| None).collect();
    for item in items {
        let index = item.index.ok_or("a vector without its index")?;
        let place = places
            .get_mut(index)
            .ok_or_else(|| format!("index {index} is beyond the texts"))?;
        if place.replace(item.embedding).is_some() {
            return Err(format!("index {index} came twice"));
        }
    }
    // As many places as items, none taken twice: none is empty.
    Ok(places.into_iter().flatten().collect())
}

fn check(components: &[Option<f32>], dimension: usize) -> Checked {
    if components.len() != dimension {
        return Err(format!(
            "a vector of dimension {} instead of {dimension}",
            components.len()
        ));
    }
    let vector: Vector = components.iter().map(|c| c.unwrap_or(f32::NAN)).collect();
    if vector.iter().any(|c| !c.is_finite()) {
        return Err("a vector with components that are no finite numbers".to_owned());
    }
    let length = vector
        .iter()
        .map(|c| f64::from(*c) * f64::from(*c))
        .sum::<f64>()
        .sqrt();
    if length == 0.0 {
        return Err("a vector of zeros".to_owned());
    }
    #[allow(clippy::cast_possible_truncation)]
    Ok(vector
        .into_iter()
        .map(|c| (f64::from(c) / length) as f32)
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reason(body: &str, count: usize, dimension: Option<usize>) -> String {
        read(body.as_bytes(), count, dimension).unwrap_err()
    }

    #[test]
    fn a_permuted_answer_is_put_in_order() {
        let body = r#"{"data":[{"index":1,"embedding":[0,2]},{"index":0,"embedding":[3,0]}]}"#;
        let vectors = read(body.as_bytes(), 2, Some(2)).unwrap();
        assert_eq!(vectors, [Ok(vec![1.0, 0.0]), Ok(vec![0.0, 1.0])]);
    }

    #[test]
    fn an_answer_without_indices_keeps_its_order() {
        let body = r#"{"data":[{"embedding":[0,2]},{"embedding":[3,0]}]}"#;
        let vectors = read(body.as_bytes(), 2, None).unwrap();
        assert_eq!(vectors, [Ok(vec![0.0, 1.0]), Ok(vec![1.0, 0.0])]);
    }

    #[test]
    fn doubled_missing_and_foreign_indices_are_refused() {
        let twice = r#"{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}"#;
        assert!(reason(twice, 2, None).contains("came twice"));
        let beyond = r#"{"data":[{"index":0,"embedding":[1]},{"index":2,"embedding":[1]}]}"#;
        assert!(reason(beyond, 2, None).contains("beyond"));
        let half = r#"{"data":[{"index":0,"embedding":[1]},{"embedding":[1]}]}"#;
        assert!(reason(half, 2, None).contains("without its index"));
        let few = r#"{"data":[{"index":0,"embedding":[1]}]}"#;
        assert!(reason(few, 2, None).contains("1 vectors for 2 texts"));
    }

    #[test]
    fn one_bad_vector_leaves_the_others_whole() {
        for bad in ["[1]", "[1,null]", "[1e39,0]", "[0,0]", "[0,-0.0]"] {
            let body = format!(
                r#"{{"data":[{{"index":0,"embedding":[1,0]}},{{"index":1,"embedding":{bad}}}]}}"#
            );
            let vectors = read(body.as_bytes(), 2, Some(2)).unwrap();
            assert!(vectors[0].is_ok() && vectors[1].is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wrong_dimension_everywhere_is_the_answers_fault() {
        let body = r#"{"data":[{"embedding":[1,0]},{"embedding":[1,0]}]}"#;
        assert!(reason(body, 2, Some(3)).contains("dimension 2 instead of 3"));
        assert!(reason(r#"{"data":[{"embedding":[]}]}"#, 1, None).contains("zeros"));
    }

    proptest! {
        #[test]
        fn vectors_come_out_finite_and_of_length_one(
            components in prop::collection::vec(prop::num::f32::NORMAL | prop::num::f32::ZERO, 1..40)
        ) {
            let body = serde_json::json!({"data": [{"embedding": components}]}).to_string();
            if let Ok(vectors) = read(body.as_bytes(), 1, None) {
                let vector = vectors[0].clone().unwrap();
                prop_assert_eq!(vector.len(), components.len());
                let length: f64 = vector.iter().map(|c| f64::from(*c).powi(2)).sum::<f64>().sqrt();
                prop_assert!((length - 1.0).abs() < 1e-5, "{}", length);
            } else {
                prop_assert!(components.iter().all(|c| *c == 0.0));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), count in 0usize..4) {
            let _ = read(&body, count, None);
        }
    }
}
