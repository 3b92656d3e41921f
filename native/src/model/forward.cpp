#include "model/forward.h"

namespace nt {

// Touvron et al., LLaMA (arXiv:2302.13971), with grouped-query attention (arXiv:2305.13245).
bool forward(Executor& x, const Model& model, const Step& step) {
  x.begin(step);
  x.gather(model.token_embd);
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    const int index = static_cast<int>(i);
    x.qkv(layer, index);
    x.attention(index);
    x.attention_output(layer.wo);
    x.feed_forward(layer);
    x.feed_forward_output(layer.down);
    if (cancelled(step)) break;
  }
  if (!step.outputs.empty() && !cancelled(step)) x.logits(model.output_norm, model.output);
  if (!step.hidden_outputs.empty() && !cancelled(step)) x.hidden(model.output_norm);
  x.finish();
  return !cancelled(step);
}

}  // namespace nt
