//! One run of the model over some texts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};

use super::pooling::Pooling;
use super::tokens::Tokens;
use crate::embedding::Vector;

pub(super) struct Session {
    model: Model,
    ids: NodeId,
    mask: Option<NodeId>,
    types: Option<NodeId>,
    output: NodeId,
    pooling: Pooling,
    padding: i32,
}

impl Session {
    /// Reads `model.onnx`. The error is a reason.
    pub(super) fn load(file: &Path, pooling: Pooling, padding: i32) -> Result<Self, String> {
        let model = unpanicked(|| {
            // 40 MB more, for which a short text takes less than half of the time.
            ModelOptions::with_all_ops()
                .prepack_weights(true)
                .load_file(file)
                .map_err(|error| error.to_string())
        })
        .map_err(|reason| format!("model.onnx: {reason}"))?;
        let (mut ids, mut mask, mut types) = (None, None, None);
        for &input in model.input_ids() {
            match model.node_info(input).and_then(|info| info.name()) {
                Some("input_ids") => ids = Some(input),
                Some("attention_mask") => mask = Some(input),
                Some("token_type_ids") => types = Some(input),
                other => {
                    return Err(format!(
                        "model.onnx wants the input `{}`; models with input_ids, attention_mask \
                         and token_type_ids are supported",
                        other.unwrap_or_default()
                    ));
                }
            }
        }
        let (Some(ids), Some(&output)) = (ids, model.output_ids().first()) else {
            return Err(
                "model.onnx has no input `input_ids` or no output; the file is cut short or no \
                 text model"
                    .to_owned(),
            );
        };
        Ok(Self {
            model,
            ids,
            mask,
            types,
            output,
            pooling,
            padding,
        })
    }

    /// The vectors of the texts, in their order. The error is a reason.
    pub(super) fn run(
        &self,
        texts: &[&Tokens],
        threads: &Arc<ThreadPool>,
    ) -> Result<Vec<Vector>, String> {
        let longest = texts.iter().map(|text| text.ids.len()).max().unwrap_or(0);
        let shape = [texts.len(), longest];
        let tensor = |row: &dyn Fn(&Tokens) -> Vec<i32>, fill: i32| {
            let mut data = Vec::with_capacity(texts.len() * longest);
            for (text, end) in texts.iter().zip(1..) {
                data.extend(row(text));
                data.resize(end * longest, fill);
            }
            Value::from_shape(shape, data).map_err(|error| error.to_string())
        };
        let mut inputs: Vec<(NodeId, ValueOrView<'_>)> = Vec::with_capacity(3);
        let ids = tensor(&|text| text.ids.clone(), self.padding)?;
        inputs.push((self.ids, ids.into()));
        if let Some(mask) = self.mask {
            inputs.push((mask, tensor(&|text| vec![1; text.ids.len()], 0)?.into()));
        }
        if let Some(types) = self.types {
            inputs.push((types, tensor(&|text| text.types.clone(), 0)?.into()));
        }
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let [output] = unpanicked(|| {
            self.model
                .run_n(inputs, [self.output], Some(options))
                .map_err(|error| error.to_string())
        })?;
        let ([rows, columns, dimension], hidden) = output
            .into_shape_vec::<f32, 3>()
            .map_err(|error| format!("its output is not one vector a token: {error}"))?;
        if [rows, columns] != shape || dimension == 0 {
            return Err(format!(
                "its output has the shape {rows}×{columns}×{dimension} for {} texts of {longest} tokens",
                texts.len()
            ));
        }
        texts
            .iter()
            .zip(hidden.chunks_exact(longest * dimension))
            .map(|(text, hidden)| {
                self.pooling
                    .pool(&hidden[..text.ids.len() * dimension], dimension)
                    .ok_or_else(|| "its output is not finite, or zero".to_owned())
            })
            .collect()
    }
}

/// Runs foreign code that may panic on files or shapes that it did not expect.
fn unpanicked<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // What the work leaves behind after a panic is dropped with it, never looked at.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the runtime cannot handle it".to_owned()))
}
