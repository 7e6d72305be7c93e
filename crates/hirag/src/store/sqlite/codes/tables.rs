//! A query, ready to be compared with codes.

/// The largest number in a table: two of them fit into a byte.
const MOST: f32 = 127.0;

/// For every four components of a query, what each of the sixteen combinations of their signs adds
/// to the product, as a whole number of steps above the least: so that sums are made of bytes, and
/// are the same on every machine.
#[derive(Debug, Clone)]
pub(in super::super) struct Tables {
    /// For each byte of a code, the table of its lower half and that of its upper one.
    pub(super) pairs: Vec<[[u8; 16]; 2]>,
    /// What a step is worth.
    step: f32,
    /// What stands for no steps at all.
    least: f32,
}

impl Tables {
    /// Of a query's components.
    pub(in super::super) fn new(query: &[f32]) -> Self {
        let most = |half: &[f32]| half.iter().map(|x| x.abs()).sum::<f32>();
        let largest = query.chunks(4).map(most).fold(0.0, f32::max);
        // A query of zeros has no direction; its products are 0 with any step.
        let step = (2.0 * largest / MOST).max(f32::MIN_POSITIVE);
        let table = |half: &[f32]| -> [u8; 16] {
            let least = -most(half);
            std::array::from_fn(|signs| {
                let signed = half
                    .iter()
                    .enumerate()
                    .map(|(bit, x)| match signs >> bit & 1 {
                        1 => *x,
                        _ => -*x,
                    });
                // The cast saturates, and rounds what is no number to 0.
                ((signed.sum::<f32>() - least) / step).round() as u8
            })
        };
        let pairs = query.chunks(8).map(|byte| {
            let (lower, upper) = byte.split_at(byte.len().min(4));
            [table(lower), table(upper)]
        });
        Self {
            pairs: pairs.collect(),
            step,
            least: -most(query),
        }
    }

    /// The product of the query with the signs that so many steps belong to.
    pub(super) fn product(&self, steps: u32) -> f32 {
        self.least + self.step * steps as f32
    }
}
